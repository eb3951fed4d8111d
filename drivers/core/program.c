// SPDX-License-Identifier: GPL-2.0-only
/*
 * PROGRAM: ops that are lists of register accesses.
 *
 * The list is copied and checked at SUBMIT, so that an engine meets nothing
 * malformed.  Which registers there are, and which of them may be used, the device
 * driver knows: it is asked at SUBMIT (ops->check_command), and sees to it again
 * when the op runs.  Places in slots become addresses at SUBMIT too: a slot's memory
 * does not move, and looking for a place in many segments takes its time.
 */
#include <linux/overflow.h>
#include <linux/sched/signal.h>
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

static bool sluice_command_has_address(const struct sluice_command *command)
{
	return command->kind == SLUICE_COMMAND_WRITE_DST ||
	       command->kind == SLUICE_COMMAND_WRITE_SRC;
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
		return sluice_register_valid(command) && command->width >= 4 &&
		       command->part <= SLUICE_ADDRESS_HIGH &&
		       (!command->part || command->width == 4) &&
		       flags & (command->kind == SLUICE_COMMAND_WRITE_DST ? SLUICE_OP_DST :
									     SLUICE_OP_SRC);
	case SLUICE_COMMAND_POLL:
		return sluice_register_valid(command) &&
		       sluice_fits_width(command->value, command->width) &&
		       sluice_fits_width(command->mask, command->width) &&
		       !(command->value & ~command->mask) &&
		       command->timeout_us <= SLUICE_MAX_POLL_US;
	case SLUICE_COMMAND_INTERRUPT:
		return !command->bar && !command->width && !command->offset && !command->mask &&
		       !command->length;
	}
	return false;
}

/* Each command once, as user memory may change. */
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
		if (!sluice_command_valid(command, desc->flags))
			return -EINVAL;
		if (command->kind == SLUICE_COMMAND_POLL)
			polls += command->timeout_us;
	}
	return polls > SLUICE_MAX_POLL_US ? -EINVAL : 0;
}

/**
 * sluice_program_copy - copy a PROGRAM from the caller
 * @job: the job, for its limit
 * @desc: one of its ops, whose other fields are set; sluice_program_free() must
 *	follow, also after an error
 * @op: as the caller has it
 *
 * Context: may sleep and fault.  Return: 0, -EINVAL, -E2BIG, -EFAULT or -ENOMEM.
 */
int sluice_program_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			const struct sluice_op *op)
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
	if (count > SLUICE_MAX_COMMANDS - job->num_commands || size > SLUICE_MAX_RECORD_SIZE)
		return -E2BIG;
	desc->program.commands = kvmalloc_array(count, sizeof(struct sluice_command),
						GFP_KERNEL_ACCOUNT);
	if (!desc->program.commands)
		return -ENOMEM;
	job->num_commands += count;
	desc->program.num_commands = count;
	desc->program.src_length = op->program.src_length;
	return sluice_program_copy_commands(desc, op);
}

/**
 * sluice_program_free - the opposite
 * @desc: of any kind
 */
void sluice_program_free(struct sluice_op_desc *desc)
{
	if (desc->kind == SLUICE_OP_PROGRAM)
		kvfree(desc->program.commands);
}

/**
 * struct sluice_place - where a walk through a range has come to
 * @slot: NULL before its beginning
 * @cursor: there
 * @at: bytes into the range
 */
struct sluice_place {
	const struct sluice_slot *slot;
	struct sluice_cursor cursor;
	u64 at;
};

/* Mostly further than the last time, and then only that far. */
static void sluice_place_go(struct sluice_place *place, const struct sluice_slot *slot,
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
 * A device address in a slot, and how many bytes follow it in one piece.  The dma_resv is
 * held just for that: the exporter may take the memory back at any time.  When it has done
 * so before the job is published, nobody uses the address.
 */
static int sluice_place_find(struct sluice_place *place, const struct sluice_job *job,
			     const struct sluice_slot *slot, u64 offset, u64 at,
			     u64 *address, u64 *left)
{
	struct dma_resv *resv = slot->dmabuf->resv;
	int ret = sluice_job_lock_one(job, resv, NULL);

	if (ret)
		return ret;
	if (slot->sgt) {
		sluice_place_go(place, slot, offset, at);
		*address = sluice_cursor_address(&place->cursor);
		*left = sluice_cursor_left(&place->cursor);
	} else {
		ret = -ENODEV;
	}
	dma_resv_unlock(resv);
	return ret;
}

/* A WRITE_DST or WRITE_SRC becomes a WRITE. */
static int sluice_command_resolve(struct sluice_command *command, const struct sluice_job *job,
				  const struct sluice_op_desc *desc, struct sluice_place *places)
{
	bool dst = command->kind == SLUICE_COMMAND_WRITE_DST;
	u64 size = dst ? desc->length : desc->program.src_length, address, left;
	int ret;

	if (command->value >= size || command->length > size - command->value)
		return -ERANGE;
	ret = sluice_place_find(&places[dst], job, dst ? desc->dst : desc->src,
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
	else if (!sluice_fits_width(address, command->width))
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
 * sluice_program_check - can the device run it?
 * @job: not published; it has entered the device
 * @desc: its PROGRAM whose ranges are inside its slots, which it gets addresses from
 *
 * Context: may sleep and takes dma_resv.  Return: 0, -ERANGE, -EADDRNOTAVAIL, -ENODEV (the
 * memory has been taken back), -EINTR, or what the driver says.
 */
int sluice_program_check(const struct sluice_job *job, struct sluice_op_desc *desc)
{
	const struct sluice_device *sdev = job->queue->sdev;
	struct sluice_place places[2] = {};
	int ret = 0;
	u32 i;

	for (i = 0; i < desc->program.num_commands && !ret; i++) {
		struct sluice_command *command = &desc->program.commands[i];

		ret = sdev->ops->check_command(sdev->priv, command);
		if (!ret && sluice_command_has_address(command))
			ret = sluice_command_resolve(command, job, desc, places);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}
