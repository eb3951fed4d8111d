// SPDX-License-Identifier: GPL-2.0-only
/*
 * PROGRAM: ops that are lists of register accesses.
 *
 * The list is copied and checked at SUBMIT, so that an engine meets nothing
 * malformed.  Which registers there are, and which of them may be used, the device
 * driver knows: it is asked at SUBMIT (ops->check_command), and sees to it again
 * when the op runs.  Addresses reach registers only as places in the op's slots.
 */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"

static bool sluice_register_valid(const struct sluice_command *command)
{
	return command->bar < 6 && command->width <= 8 && is_power_of_2(command->width) &&
	       !(command->offset & (command->width - 1)) &&
	       command->offset <= U64_MAX - command->width;
}

static bool sluice_fits_width(u64 value, u16 width)
{
	return width == 8 || !(value >> (8 * width));
}

/* By itself, without regard to slots and the device. */
static bool sluice_command_valid(const struct sluice_command *command, u32 flags)
{
	switch (command->kind) {
	case SLUICE_COMMAND_WRITE:
		return sluice_register_valid(command) && !command->mask && !command->length &&
		       sluice_fits_width(command->value, command->width);
	case SLUICE_COMMAND_WRITE_DST:
	case SLUICE_COMMAND_WRITE_SRC:
		return sluice_register_valid(command) &&
		       (!command->shift || command->shift == 32) &&
		       flags & (command->kind == SLUICE_COMMAND_WRITE_DST ? SLUICE_OP_DST :
									     SLUICE_OP_SRC);
	case SLUICE_COMMAND_POLL:
		return sluice_register_valid(command) &&
		       sluice_fits_width(command->value, command->width) &&
		       sluice_fits_width(command->mask, command->width) &&
		       !(command->value & ~command->mask);
	case SLUICE_COMMAND_INTERRUPT:
		return !command->bar && !command->width && !command->offset && !command->mask &&
		       !command->length;
	}
	return false;
}

static int sluice_program_validate(const struct sluice_step *step)
{
	u64 polls = 0;
	u32 i;

	for (i = 0; i < step->program.num_commands; i++) {
		const struct sluice_command *command = &step->program.commands[i];

		if (!sluice_command_valid(command, step->flags))
			return -EINVAL;
		if (command->kind != SLUICE_COMMAND_POLL)
			continue;
		if (command->timeout_us > SLUICE_MAX_POLL_US)
			return -EINVAL;
		polls += command->timeout_us;
	}
	return polls > SLUICE_MAX_POLL_US ? -EINVAL : 0;
}

/**
 * sluice_program_copy - copy a PROGRAM from the caller
 * @step: its other fields are set; sluice_program_free() must follow, also after
 *	an error
 * @op: as the caller has it
 *
 * Context: may sleep and fault.  Return: 0, -EINVAL, -E2BIG, -EFAULT or -ENOMEM.
 */
int sluice_program_copy(struct sluice_step *step, const struct sluice_op *op)
{
	struct sluice_command *commands;
	bool dst = op->flags & SLUICE_OP_DST, src = op->flags & SLUICE_OP_SRC;
	size_t size = array_size(op->program.num_commands, sizeof(*commands));

	step->flags = op->flags;
	if (op->flags & ~(SLUICE_OP_DST | SLUICE_OP_SRC) || op->program.reserved ||
	    !op->program.num_commands)
		return -EINVAL;
	if (!dst ? op->dst || op->dst_offset || op->length : !op->length)
		return -EINVAL;
	if (!src ? op->src || op->src_offset || op->program.src_length : !op->program.src_length)
		return -EINVAL;
	if (op->program.num_commands > SLUICE_MAX_COMMANDS)
		return -E2BIG;
	commands = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!commands)
		return -ENOMEM;
	step->program.commands = commands;
	step->program.num_commands = op->program.num_commands;
	step->program.src_length = op->program.src_length;
	if (copy_from_user(commands, u64_to_user_ptr(op->program.commands), size))
		return -EFAULT;
	return sluice_program_validate(step);
}

/**
 * sluice_program_free - the opposite
 * @step: of any kind
 */
void sluice_program_free(struct sluice_step *step)
{
	if (step->kind == SLUICE_OP_PROGRAM)
		kvfree(step->program.commands);
}

/**
 * sluice_program_address - what a WRITE_DST or WRITE_SRC writes
 * @step: a PROGRAM, with its slots
 * @command: one of its commands
 * @address: set to the bus address, shifted
 *
 * Any context.  Return: 0, -ERANGE (not inside the op's range) or -EADDRNOTAVAIL
 * (not in one piece).
 */
int sluice_program_address(const struct sluice_step *step, const struct sluice_command *command,
			   u64 *address)
{
	bool dst = command->kind == SLUICE_COMMAND_WRITE_DST;
	u64 size = dst ? step->length : step->program.src_length;
	struct sluice_cursor cursor;

	if (command->value >= size || command->length > size - command->value)
		return -ERANGE;
	sluice_cursor_init(&cursor, dst ? step->dst : step->src,
			   (dst ? step->dst_offset : step->src_offset) + command->value);
	if (sluice_cursor_left(&cursor) < (command->length ?: size - command->value))
		return -EADDRNOTAVAIL;
	*address = (u64)sluice_cursor_address(&cursor) >> command->shift;
	return 0;
}
EXPORT_SYMBOL_GPL(sluice_program_address);

/**
 * sluice_program_check - can the device run it?
 * @step: a PROGRAM whose ranges are inside its slots
 * @sdev: the device, which the caller has entered
 *
 * Return: 0, -ERANGE, -EADDRNOTAVAIL, or what the driver says.
 */
int sluice_program_check(const struct sluice_step *step, const struct sluice_device *sdev)
{
	u64 address;
	int ret = 0;
	u32 i;

	for (i = 0; i < step->program.num_commands && !ret; i++) {
		const struct sluice_command *command = &step->program.commands[i];

		ret = sdev->ops->check_command(sdev->priv, command);
		if (!ret && (command->kind == SLUICE_COMMAND_WRITE_DST ||
			     command->kind == SLUICE_COMMAND_WRITE_SRC))
			ret = sluice_program_address(step, command, &address);
	}
	return ret;
}
