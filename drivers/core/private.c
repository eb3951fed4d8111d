// SPDX-License-Identifier: GPL-2.0-only
/*
 * PRIVATE: ops that a driver defines.  See private.h.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "engine.h"
#include "private.h"

/**
 * sluice_private_copy - copy a PRIVATE from the caller
 * @desc: the op, whose other fields are set; sluice_private_free() must follow, also after an error
 * @op: the caller's op
 * @caps: description of the engine
 * @payload: bytes of the payloads of the job; increased
 *
 * Context: may sleep and fault.
 * Return: 0, -EINVAL, -E2BIG, -EOPNOTSUPP (the engine has no such ops), -EFAULT or -ENOMEM.
 */
int sluice_private_copy(struct sluice_op_desc *desc, const struct sluice_op *op,
			const struct sluice_engine_caps *caps, u32 *payload)
{
	bool dst = op->flags & SLUICE_OP_DST, src = op->flags & SLUICE_OP_SRC;
	void *data;

	desc->flags = op->flags;
	if (op->flags & ~(SLUICE_OP_DST | SLUICE_OP_SRC) || !op->payload.size ||
	    op->payload.reserved)
		return -EINVAL;
	if (!dst ? op->dst || op->dst_offset || op->length : !op->length)
		return -EINVAL;
	if (!src ? op->src || op->src_offset || op->payload.src_length : !op->payload.src_length)
		return -EINVAL;
	if (!(caps->op_kinds & BIT_ULL(SLUICE_OP_PRIVATE)))
		return -EOPNOTSUPP;
	if (op->payload.size > SLUICE_MAX_PAYLOAD ||
	    op->payload.size > SLUICE_MAX_PAYLOADS - *payload)
		return -E2BIG;
	/* whole words: a driver may read a payload of 5 bytes as a u64 */
	data = kzalloc(round_up(op->payload.size, sizeof(u64)), GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	desc->payload.data = data;
	desc->payload.size = op->payload.size;
	desc->payload.src_length = op->payload.src_length;
	*payload += op->payload.size;
	return copy_from_user(data, u64_to_user_ptr(op->payload.data), op->payload.size) ?
	       -EFAULT : 0;
}

/**
 * sluice_private_free - free the payload of a PRIVATE
 * @desc: an op of any kind
 *
 * Context: any.
 */
void sluice_private_free(struct sluice_op_desc *desc)
{
	if (desc->kind == SLUICE_OP_PRIVATE)
		kfree(desc->payload.data);
}

/**
 * sluice_private_check - does the driver accept the payload?
 * @engine: an engine of a device that is entered and awake
 * @desc: the op, whose ranges are inside its slots.  The driver sets whether it may be repeated
 *
 * Context: may sleep.
 * Return: 0, or the errno of the driver.
 */
int sluice_private_check(struct sluice_engine *engine, struct sluice_op_desc *desc)
{
	return engine->sdev->ops->check_private(engine, desc);
}
