// SPDX-License-Identifier: GPL-2.0-only
/*
 * PROGRAM: ops that are lists of register accesses.  See program.h.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "program.h"
#include "resv.h"
#include "slot.h"

static bool sluice_program_register_valid(const struct sluice_command *command)
{
	return command->bar < 6 && command->width <= 8 && is_power_of_2(command->width) &&
	       !(command->offset & (command->width - 1)) &&
	       command->offset <= U64_MAX - command->width;
}

static bool sluice_program_fits_width(u64 value, u16 width)
{
	return width == 8 || !(value >> (8 * width));
}

static bool sluice_program_has_address(const struct sluice_command *command)
{
	return command->kind == SLUICE_COMMAND_WRITE_DST ||
	       command->kind == SLUICE_COMMAND_WRITE_SRC;
}

/* Is a command well formed?  Slots and the device are not considered. */
static bool sluice_program_command_valid(const struct sluice_command *command, u32 flags)
{
	switch (command->kind) {
	case SLUICE_COMMAND_WRITE:
		return sluice_program_register_valid(command) && !command->mask &&
		       !command->length &&
		       sluice_program_fits_width(command->value, command->width);
	case SLUICE_COMMAND_WRITE_DST:
	case SLUICE_COMMAND_WRITE_SRC:
		return sluice_program_register_valid(command) && command->width >= 4 &&
		       command->part <= SLUICE_ADDRESS_HIGH &&
		       (!command->part || command->width == 4) &&
		       flags & (command->kind == SLUICE_COMMAND_WRITE_DST ? SLUICE_OP_DST :
									     SLUICE_OP_SRC);
	case SLUICE_COMMAND_POLL:
		return sluice_program_register_valid(command) &&
		       sluice_program_fits_width(command->value, command->width) &&
		       sluice_program_fits_width(command->mask, command->width) &&
		       !(command->value & ~command->mask) &&
		       command->timeout_us <= SLUICE_MAX_POLL_US;
	case SLUICE_COMMAND_INTERRUPT:
		return !command->bar && !command->width && !command->offset && !command->mask &&
		       !command->length;
	}
	return false;
}

/* Copy the commands.  Each is read once, because user memory may change. */
static int sluice_program_copy_commands(struct sluice_op_desc *desc, const struct sluice_op *op)
{
	size_t size = op->program.command_size ?: SLUICE_COMMAND_SIZE_V1;
	u64 polls = 0;
	u32 i;
	int ret;

	for (i = 0; i < desc->program.num_commands; i++) {
		struct sluice_command *command = &desc->program.commands[i];

		ret = copy_struct_from_user(command, sizeof(*command),
					    u64_to_user_ptr(op->program.commands + i * size),
					    size);
		if (ret)
			return ret;
		if (!sluice_program_command_valid(command, desc->flags))
			return -EINVAL;
		if (command->kind == SLUICE_COMMAND_POLL)
			polls += command->timeout_us;
	}
	return polls > SLUICE_MAX_POLL_US ? -EINVAL : 0;
}

/**
 * sluice_program_copy - copy a PROGRAM from the caller
 * @desc: the op, whose other fields are set; sluice_program_free() must follow, also after an error
 * @op: the caller's op
 * @num_commands: commands in the programs of the job; increased
 *
 * Context: may sleep and fault.
 * Return: 0, -EINVAL, -E2BIG, -EFAULT or -ENOMEM.
 */
int sluice_program_copy(struct sluice_op_desc *desc, const struct sluice_op *op,
			u32 *num_commands)
{
	bool dst = op->flags & SLUICE_OP_DST, src = op->flags & SLUICE_OP_SRC;
	u32 count = op->program.num_commands, size = op->program.command_size;

	desc->flags = op->flags;
	if (op->flags & ~(SLUICE_OP_DST | SLUICE_OP_SRC) || !count ||
	    (size && size < SLUICE_COMMAND_SIZE_V1))
		return -EINVAL;
	if (!dst ? op->dst || op->dst_offset || op->length : !op->length)
		return -EINVAL;
	if (!src ? op->src || op->src_offset || op->program.src_length : !op->program.src_length)
		return -EINVAL;
	if (count > SLUICE_MAX_COMMANDS - *num_commands || size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	desc->program.commands = kvmalloc_array(count, sizeof(struct sluice_command),
						GFP_KERNEL_ACCOUNT);
	if (!desc->program.commands)
		return -ENOMEM;
	*num_commands += count;
	desc->program.num_commands = count;
	desc->program.src_length = op->program.src_length;
	return sluice_program_copy_commands(desc, op);
}

/**
 * sluice_program_free - free the commands of a PROGRAM
 * @desc: an op of any kind
 *
 * Context: may sleep.
 */
void sluice_program_free(struct sluice_op_desc *desc)
{
	if (desc->kind == SLUICE_OP_PROGRAM)
		kvfree(desc->program.commands);
}

/**
 * struct sluice_program_place - a position in a range, from which the next search begins
 * @slot: slot of the range; NULL before the first search
 * @cursor: the position
 * @at: bytes from the start of the range to the position
 */
struct sluice_program_place {
	const struct sluice_slot *slot;
	struct sluice_cursor cursor;
	u64 at;
};

/* Walk to a position.  Most positions come after the previous one, so the walk is short. */
static void sluice_program_go_to(struct sluice_program_place *place, const struct sluice_slot *slot,
				 u64 offset, u64 at)
{
	if (!place->slot || at < place->at)
		sluice_cursor_init(&place->cursor, slot, offset + at);
	else
		sluice_cursor_advance(&place->cursor, at - place->at);
	place->slot = slot;
	place->at = at;
}

/*
 * Find the bus address of a position, and the number of contiguous bytes behind it.  The dma_resv
 * is held during the search, because the exporter may take the memory back at any time.  If that
 * happens before the job is published, the address is never used.
 */
static int sluice_program_find(struct sluice_program_place *place,
			       const struct sluice_resv_set *set,
			       const struct sluice_slot *slot, u64 offset, u64 at,
			       u64 *address, u64 *left)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	int ret = sluice_resv_lock_one(set, resv, NULL);

	if (ret)
		return ret;
	if (slot->sgt) {
		sluice_program_go_to(place, slot, offset, at);
		*address = sluice_cursor_address(&place->cursor);
		*left = sluice_cursor_left(&place->cursor);
	} else {
		ret = -ENODEV;
	}
	dma_resv_unlock(resv);
	return ret;
}

/* Replace a WRITE_DST or WRITE_SRC by a WRITE of the bus address. */
static int sluice_program_resolve(struct sluice_command *command,
				  const struct sluice_resv_set *set,
				  const struct sluice_op_desc *desc,
				  struct sluice_program_place *places)
{
	bool dst = command->kind == SLUICE_COMMAND_WRITE_DST;
	u64 size = dst ? desc->length : desc->program.src_length, address, left;
	int ret;

	if (command->value >= size || command->length > size - command->value)
		return -ERANGE;
	ret = sluice_program_find(&places[dst], set, dst ? desc->dst : desc->src,
				  dst ? desc->dst_offset : desc->src_offset, command->value,
				  &address, &left);
	if (ret)
		return ret;
	if (left < (command->length ?: size - command->value))
		return -EADDRNOTAVAIL;
	if (command->part == SLUICE_ADDRESS_LOW)
		address = lower_32_bits(address);
	else if (command->part == SLUICE_ADDRESS_HIGH)
		address = upper_32_bits(address);
	else if (!sluice_program_fits_width(address, command->width))
		return -EADDRNOTAVAIL;
	*command = (struct sluice_command) {
		.kind = SLUICE_COMMAND_WRITE,
		.bar = command->bar,
		.width = command->width,
		.offset = command->offset,
		.value = address,
	};
	return 0;
}

/**
 * sluice_program_check - check a PROGRAM, and replace positions in slots by bus addresses
 * @sdev: the device, entered and awake
 * @set: tells how dma_resv are locked for the job
 * @desc: the op, whose ranges are inside its slots
 *
 * Context: may sleep; takes dma_resv.
 * Return: 0, or:
 *
 *	-EADDRNOTAVAIL	the memory at the position is not contiguous, or its address does not fit
 *			into the register
 *	-EINTR		a signal arrived
 *	-ENODEV		the exporter has taken the memory back
 *	-ERANGE		a position is not inside its range
 *	others		what ops->check_command() returned
 */
int sluice_program_check(const struct sluice_device *sdev, const struct sluice_resv_set *set,
			 struct sluice_op_desc *desc)
{
	struct sluice_program_place places[2] = {};
	int ret = 0;
	u32 i;

	for (i = 0; i < desc->program.num_commands && !ret; i++) {
		struct sluice_command *command = &desc->program.commands[i];

		ret = sdev->ops->check_command(sdev->priv, command);
		if (!ret && sluice_program_has_address(command))
			ret = sluice_program_resolve(command, set, desc, places);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}
