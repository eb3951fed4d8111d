// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ops: the copy of the caller's ops, and all checks of them.  See op.h.
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "device.h"
#include "engine.h"
#include "format.h"
#include "job.h"
#include "op.h"
#include "private.h"
#include "program.h"
#include "queue.h"
#include "slot.h"

static void sluice_range_add(struct sluice_op_desc *desc, u32 number, u64 offset, u64 length,
			     bool write)
{
	struct sluice_range *range = &desc->ranges[desc->num_ranges++];

	range->number = number;
	range->offset = offset;
	range->length = length;
	range->write = write;
}

/*
 * Does the caller choose the ranges of an op of this kind?  If so, the flags DST and SRC say which
 * ranges the op has, and the src range has a length of its own.
 */
static bool sluice_op_chooses_ranges(u32 kind)
{
	return kind == SLUICE_OP_PROGRAM || kind == SLUICE_OP_PRIVATE;
}

/* How many ranges has an op at most?  Its kind may be unknown. */
static unsigned int sluice_op_max_ranges(const struct sluice_op *op)
{
	switch (op->kind) {
	case SLUICE_OP_CAPTURE:
	case SLUICE_OP_PLAYBACK:
		return sluice_frame_max_ranges(op);
	case SLUICE_OP_FILL:
		return 1;
	}
	return 2;
}

/* Add the ranges of an op of any kind except CAPTURE and PLAYBACK. */
static void sluice_op_add_ranges(struct sluice_op_desc *desc, const struct sluice_op *op)
{
	bool chosen = sluice_op_chooses_ranges(op->kind);

	BUILD_BUG_ON(offsetof(struct sluice_op, program.src_length) !=
		     offsetof(struct sluice_op, payload.src_length));
	if (!chosen || op->flags & SLUICE_OP_DST)
		sluice_range_add(desc, op->dst, op->dst_offset, op->length, true);
	if (chosen ? op->flags & SLUICE_OP_SRC : op->kind == SLUICE_OP_COPY)
		sluice_range_add(desc, op->src, op->src_offset,
				 chosen ? op->program.src_length : op->length, false);
}

/*
 * Check the form of one op, and convert it.  sluice_op_resolve_all() looks its slots up later.
 * @desc and @ranges are zeroed.
 */
static int sluice_op_copy(struct sluice_job *job, struct sluice_op_desc *desc,
			  struct sluice_range *ranges, const struct sluice_op *op)
{
	const struct sluice_engine_caps *caps = &job->base.entity->engine->caps;

	desc->ranges = ranges;
	desc->kind = op->kind;
	desc->dst_offset = op->dst_offset;
	desc->src_offset = op->src_offset;
	desc->length = op->length;
	if (op->kind == SLUICE_OP_CAPTURE || op->kind == SLUICE_OP_PLAYBACK)
		return op->flags ? -EINVAL : sluice_frame_copy(caps, desc, op);
	if (op->planes || op->num_planes || op->plane_size || op->modifier || op->field ||
	    op->reserved)
		return -EINVAL;
	sluice_op_add_ranges(desc, op);
	switch (op->kind) {
	case SLUICE_OP_COPY:
		if (op->pad[0] || op->pad[1] || op->pad[2])
			return -EINVAL;
		break;
	case SLUICE_OP_FILL:
		if (op->src || op->src_offset || op->value > U32_MAX || op->pad[1] || op->pad[2])
			return -EINVAL;
		desc->value = op->value;
		break;
	case SLUICE_OP_PROGRAM:
		return sluice_program_copy(desc, op, &job->num_commands);
	case SLUICE_OP_PRIVATE:
		return sluice_private_copy(desc, op, caps, &job->payload);
	default:
		return -EINVAL;
	}
	return op->flags ? -EINVAL : 0;
}

/**
 * sluice_op_fetch - copy the structs of the ops of a job from the caller
 * @args: arguments of SUBMIT; checked
 * @ops: memory for num_ops structs
 *
 * Context: may sleep and fault.
 * Return: 0, -E2BIG or -EFAULT.
 */
int sluice_op_fetch(const struct sluice_submit *args, struct sluice_op *ops)
{
	size_t op_size = args->op_size ?: SLUICE_OP_SIZE_V1;
	unsigned int i;
	int ret = 0;

	if (op_size == sizeof(*ops))
		return copy_from_user(ops, u64_to_user_ptr(args->ops),
				      args->num_ops * sizeof(*ops)) ? -EFAULT : 0;
	for (i = 0; i < args->num_ops && !ret; i++)
		ret = copy_struct_from_user(&ops[i], sizeof(*ops),
					    u64_to_user_ptr(args->ops + i * op_size), op_size);
	return ret;
}

/**
 * sluice_op_count_ranges - how many ranges have the ops of a job at most?
 * @ops: from sluice_op_fetch()
 * @num_ops: length of @ops
 *
 * Context: any.
 * Return: the number, for sluice_job_create().
 */
unsigned int sluice_op_count_ranges(const struct sluice_op *ops, unsigned int num_ops)
{
	unsigned int ranges = 0, i;

	for (i = 0; i < num_ops; i++)
		ranges += sluice_op_max_ranges(&ops[i]);
	return ranges;
}

/**
 * sluice_op_copy_all - check the form of the ops of a job, and convert them
 * @job: a job without ops, created for as many ranges as sluice_op_count_ranges() says
 * @ops: from sluice_op_fetch()
 * @num_ops: length of @ops
 *
 * Copies commands, payloads and planes from the caller.
 *
 * Context: may sleep and fault, so the job must not hold a slot or a dma_resv.
 * Return: 0, or an errno from the list at struct sluice_submit.
 */
int sluice_op_copy_all(struct sluice_job *job, const struct sluice_op *ops, unsigned int num_ops)
{
	u64 kinds = job->base.entity->engine->caps.op_kinds;
	struct sluice_range *ranges = sluice_job_ranges(job, num_ops);
	unsigned int i;
	int ret;

	for (i = 0; i < num_ops; i++) {
		job->base.num_ops = i + 1;	/* if the copy fails, the job frees the op */
		ret = sluice_op_copy(job, &job->ops[i], ranges, &ops[i]);
		if (ret)
			return ret;
		if (!(kinds & BIT_ULL(ops[i].kind)))
			return -EOPNOTSUPP;
		ranges += sluice_op_max_ranges(&ops[i]);
	}
	return 0;
}

static int sluice_range_check(u64 offset, u64 length, const struct sluice_slot *slot)
{
	u64 end;

	if (slot && (check_add_overflow(offset, length, &end) || end > slot->dmabuf->size))
		return -ERANGE;
	return 0;
}

/* Is each range aligned and inside its slot, and does its slot allow the access? */
static int sluice_op_check_ranges(const struct sluice_op_desc *desc, u64 align)
{
	unsigned int i;
	int ret;

	for (i = 0; i < desc->num_ranges; i++) {
		const struct sluice_range *range = &desc->ranges[i];

		if (range->offset & (align - 1))
			return -EINVAL;
		if (!(range->slot->flags & (range->write ? SLUICE_ATTACH_WRITE :
							   SLUICE_ATTACH_READ)))
			return -EACCES;
		ret = sluice_range_check(range->offset, range->length, range->slot);
		if (ret)
			return ret;
	}
	return 0;
}

static u64 sluice_op_src_length(const struct sluice_op_desc *desc)
{
	switch (desc->kind) {
	case SLUICE_OP_PROGRAM:
		return desc->program.src_length;
	case SLUICE_OP_PRIVATE:
		return desc->payload.src_length;
	}
	return desc->length;
}

/* Is the length of an op within the limits of the engine? */
static int sluice_op_check_length(const struct sluice_job *job, u64 length)
{
	const struct sluice_engine_caps *caps = &job->base.entity->engine->caps;

	if (length < caps->min_length || (caps->max_length && length > caps->max_length))
		return -EINVAL;
	return 0;
}

/*
 * Check an op with an image.  If the op has a length, its planes are in one piece of one slot,
 * which has this length.  sluice_frame_check() checks that the planes are inside the piece, and the
 * last line here checks that the piece is inside the slot.
 */
static int sluice_op_check_frame(const struct sluice_job *job, struct sluice_op_desc *desc)
{
	struct sluice_engine *engine = job->base.entity->engine;
	u64 length = desc->length;
	int ret;

	if (length & (engine->caps.op_align - 1))
		return -EINVAL;
	ret = sluice_frame_check(engine, desc) ?:
	      sluice_op_check_length(job, desc->length);
	if (ret || !length)
		return ret;
	return sluice_range_check(desc->ranges[0].offset, length, desc->ranges[0].slot);
}

static int sluice_op_check(const struct sluice_job *job, struct sluice_op_desc *desc)
{
	bool frame = desc->kind == SLUICE_OP_CAPTURE || desc->kind == SLUICE_OP_PLAYBACK;
	bool chosen = sluice_op_chooses_ranges(desc->kind);
	u64 src_length = sluice_op_src_length(desc);
	u64 align = job->base.entity->engine->caps.op_align;
	int ret;

	if (frame && desc->frame.width) {
		ret = sluice_op_check_frame(job, desc);
		return ret ?: sluice_op_check_ranges(desc, align);
	}
	if (desc->kind == SLUICE_OP_FILL)
		align = max_t(u64, align, sizeof(u32));
	if ((!desc->length && !chosen) || (desc->length | src_length) & (align - 1))
		return -EINVAL;
	ret = chosen ? 0 : sluice_op_check_length(job, desc->length);
	if (!ret)
		ret = sluice_op_check_ranges(desc, align);
	if (ret)
		return ret;
	if (desc->kind == SLUICE_OP_PROGRAM)
		return sluice_program_check(job->queue->sdev, &job->resv, desc);
	if (desc->kind == SLUICE_OP_PRIVATE)
		return sluice_private_check(job->base.entity->engine, desc);
	if (desc->kind == SLUICE_OP_COPY && desc->src->dmabuf == desc->dst->dmabuf &&
	    desc->src_offset < desc->dst_offset + desc->length &&
	    desc->dst_offset < desc->src_offset + desc->length)
		return -EINVAL;
	return 0;
}

/* Look up the slots of an op.  The first range of each direction becomes its dst or src. */
static int sluice_op_resolve(struct sluice_op_desc *desc, struct sluice_slot_table *table)
{
	unsigned int i;

	for (i = 0; i < desc->num_ranges; i++) {
		struct sluice_range *range = &desc->ranges[i];
		struct sluice_slot *slot = sluice_slot_table_get(table, range->number);

		if (IS_ERR(slot))
			return PTR_ERR(slot);
		range->slot = slot;
		if (range->write && !desc->dst) {
			desc->dst = slot;
			desc->dst_offset = range->offset;
		} else if (!range->write && !desc->src) {
			desc->src = slot;
			desc->src_offset = range->offset;
		}
	}
	return 0;
}

/**
 * sluice_op_resolve_all - look up the slots of all ops, and check the ops
 * @job: a job that has entered the device, with the copies of its ops
 *
 * Context: may sleep; takes the dma_resv of the slots of programs.
 * Return: 0, or an errno from the list at struct sluice_submit.
 */
int sluice_op_resolve_all(struct sluice_job *job)
{
	struct sluice_slot_table *table = &job->queue->slots;
	unsigned int i;
	int ret = 0;

	mutex_lock(&table->lock);
	for (i = 0; i < job->base.num_ops && !ret; i++)
		ret = sluice_op_resolve(&job->ops[i], table);
	mutex_unlock(&table->lock);
	for (i = 0; i < job->base.num_ops && !ret; i++)
		ret = sluice_op_check(job, &job->ops[i]);
	return ret;
}

/*
 * Find a position from which the walk to the start of a range is short.  There are two candidates:
 * the start of the previous range of this op, and the start of the range with the same index in the
 * op before.  A candidate must be in the same slot, and not behind the wanted position.  The nearer
 * one wins.  Returns its cursor, and its offset in @offset; NULL if there is no candidate.
 */
static const struct sluice_cursor *sluice_range_near(const struct sluice_op_desc *desc,
						     unsigned int range,
						     const struct sluice_op_desc *before,
						     u64 *offset)
{
	const struct sluice_range *wanted = &desc->ranges[range], *best = NULL, *near[2] = {};
	unsigned int i;

	if (range)
		near[0] = wanted - 1;
	if (range < before->num_ranges)
		near[1] = &before->ranges[range];
	for (i = 0; i < ARRAY_SIZE(near); i++)
		if (near[i] && near[i]->slot == wanted->slot &&
		    near[i]->offset <= wanted->offset &&
		    (!best || near[i]->offset > best->offset))
			best = near[i];
	*offset = best ? best->offset : 0;
	return best ? &best->at : NULL;
}

/*
 * Does a range have at most @max_segments segments?  The walk ends after this number, so its length
 * does not depend on the size of the buffer.  If the whole buffer has at most this number, there is
 * no walk.
 */
static bool sluice_range_fits(const struct sluice_range *range, u32 max_segments)
{
	u64 reached = sluice_cursor_left(&range->at);
	struct scatterlist *sg = range->at.sg;
	u32 segments;

	if (!max_segments || range->slot->sgt->nents <= max_segments)
		return true;
	for (segments = 1; reached < range->length && segments < max_segments; segments++) {
		sg = sg_next(sg);
		reached += sg_dma_len(sg);
	}
	return reached >= range->length;
}

/* Find the bus address at which each range of an op begins.  @before is the op before. */
static int sluice_op_place(struct sluice_op_desc *desc, const struct sluice_op_desc *before,
			   u32 max_segments)
{
	unsigned int i;

	for (i = 0; i < desc->num_ranges; i++) {
		struct sluice_range *range = &desc->ranges[i];
		const struct sluice_cursor *near;
		u64 offset;

		near = sluice_range_near(desc, i, before, &offset);
		if (near) {
			range->at = *near;
			sluice_cursor_advance(&range->at, range->offset - offset);
		} else {
			sluice_cursor_init(&range->at, range->slot, range->offset);
		}
		if (!sluice_range_fits(range, max_segments))
			return -EFBIG;
	}
	for (i = desc->num_ranges; i--; )
		*(desc->ranges[i].write ? &desc->dst_at : &desc->src_at) = desc->ranges[i].at;
	return 0;
}

/**
 * sluice_op_place_all - find the bus addresses at which the ranges of all ops begin
 * @job: a job whose dma_resv are locked, and whose slots are not revoked
 *
 * SUBMIT does this because the walk over the segments may be long.  Ops are also handed out in
 * interrupts, where it would take too much time.
 *
 * Context: may sleep; the dma_resv are held.
 * Return: 0, or -EFBIG if a range has more segments than the engine can use.
 */
int sluice_op_place_all(struct sluice_job *job)
{
	u32 max_segments = job->base.entity->engine->caps.max_segments;
	static const struct sluice_op_desc none;
	const struct sluice_op_desc *before = &none;
	unsigned int i;
	int ret;

	if (job->queue->sdev->cpu_engines)
		return 0;
	for (i = 0; i < job->base.num_ops; i++) {
		struct sluice_op_desc *desc = &job->ops[i];

		if (desc->kind == SLUICE_OP_PROGRAM)
			continue;
		ret = sluice_op_place(desc, before, max_segments);
		if (ret)
			return ret;
		/* if ops alternate between distant ranges, each walk is long */
		cond_resched();
		before = desc;
	}
	return 0;
}

#ifdef SLUICE_KUNIT
#include "selftests/kunit/op.c"
#endif
