// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the pci driver: lists of register accesses, done by the kernel.
 *
 * pci_program_start() runs a program as far as it gets: to its end, or to an
 * interrupt that has not come yet.  With that, the interrupt handler ends the op if
 * it was the last command, and else leaves what follows to a work item, since it
 * may poll.
 *
 * A program that is stopped half-way leaves a device of which nobody knows what it
 * does.  Bus mastering is taken from it at once, so that it touches no memory, and
 * the op ends.  Then its function is reset, in a work item of its own: that takes
 * locks which no fence may wait for.  An op that comes meanwhile begins when it is
 * done, or runs into the job's timeout.  Where a reset is not possible the device
 * gets no more programs until it is bound again.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/ktime.h>

#include "pci.h"

#define PCI_RESET_TRIES	20	/* with pauses of 10 ms: somebody has the device locked */
#define PCI_WAITS	1	/* a program's state, beside 0 and errnos: an interrupt is to come */

static u64 pci_read_register(const struct sluice_pci *sluice,
			     const struct sluice_command *command)
{
	void __iomem *address = sluice->regs[command->bar] + command->offset;

	switch (command->width) {
	case 1:
		return readb(address);
	case 2:
		return readw(address);
	case 4:
		return readl(address);
	default:
		return readq(address);
	}
}

static void pci_write_register(const struct sluice_pci *sluice,
			       const struct sluice_command *command, u64 value)
{
	void __iomem *address = sluice->regs[command->bar] + command->offset;

	switch (command->width) {
	case 1:
		writeb(value, address);
		break;
	case 2:
		writew(value, address);
		break;
	case 4:
		writel(value, address);
		break;
	default:
		writeq(value, address);
	}
}

/* Is the op still wanted?  Not if it was aborted while its work was under way. */
static bool pci_program_runs(struct sluice_pci *sluice)
{
	return READ_ONCE(sluice->engine);
}

static int pci_program_poll(struct sluice_pci *sluice, const struct sluice_command *command)
{
	ktime_t deadline = ktime_add_us(ktime_get(), command->timeout_us);
	bool late;

	for (;;) {
		late = ktime_after(ktime_get(), deadline);
		if ((pci_read_register(sluice, command) & command->mask) == command->value)
			return 0;
		if (pci_dev_is_disconnected(sluice->pdev))
			return -ENODEV;
		if (late)
			return -EIO;
		if (!pci_program_runs(sluice))
			return -ECANCELED;
		usleep_range(5, 50);
	}
}

/* Has the interrupt come?  If not, its handler goes on from here. */
static int pci_program_await(struct sluice_pci *sluice, unsigned int number)
{
	int ret = 0;

	spin_lock_irq(&sluice->lock);
	if (!__test_and_clear_bit(number, &sluice->fired)) {
		sluice->awaited = number;
		ret = PCI_WAITS;
	}
	spin_unlock_irq(&sluice->lock);
	return ret;
}

static int pci_program_command(struct sluice_pci *sluice, const struct sluice_step *step,
			       const struct sluice_command *command)
{
	u64 value = command->value;
	int ret;

	if (command->kind == SLUICE_COMMAND_INTERRUPT)
		return pci_program_await(sluice, value);
	/* root may have changed his mind since SUBMIT */
	if (!pci_ranges_cover(sluice, command->bar, command->offset, command->width))
		return -EACCES;
	if (command->kind == SLUICE_COMMAND_POLL)
		return pci_program_poll(sluice, command);
	if (command->kind != SLUICE_COMMAND_WRITE) {
		ret = sluice_program_address(step, command, &value);
		if (ret)
			return ret;
	}
	pci_write_register(sluice, command, value);
	return 0;
}

/* Return: 0 at the end, PCI_WAITS, or why it cannot go on. */
static int pci_program_run(struct sluice_pci *sluice, const struct sluice_step *step)
{
	int ret = 0;

	/* while it waits, the step may be gone already */
	while (!ret && sluice->next < step->program.num_commands) {
		if (!pci_program_runs(sluice))
			return -ECANCELED;
		ret = pci_program_command(sluice, step, &step->program.commands[sluice->next++]);
	}
	return ret;
}

static void pci_synchronize_interrupts(struct sluice_pci *sluice)
{
	unsigned int i;

	for (i = 0; i < sluice->num_vectors; i++)
		synchronize_irq(sluice->vectors[i].irq);
}

/* The device is to touch nothing any more, and to forget what it was at. */
static void pci_program_stop(struct sluice_pci *sluice)
{
	bool resetting;

	spin_lock_irq(&sluice->lock);
	resetting = sluice->resetting;
	sluice->resetting = true;
	if (!resetting)
		pci_clear_master(sluice->pdev);
	spin_unlock_irq(&sluice->lock);
	if (resetting)	/* the program had not begun */
		return;
	pci_synchronize_interrupts(sluice);
	queue_work(system_long_wq, &sluice->reset_work);
}

static void pci_program_reset(struct work_struct *work)
{
	struct sluice_pci *sluice = container_of(work, struct sluice_pci, reset_work);
	unsigned int tries = PCI_RESET_TRIES;
	int ret;

	/* whoever unbinds it has it locked, and resets it himself: pci_program_exit() */
	while ((ret = pci_try_reset_function(sluice->pdev)) == -EAGAIN && --tries &&
	       READ_ONCE(sluice->listening))
		msleep(10);
	spin_lock_irq(&sluice->lock);
	sluice->resetting = false;
	sluice->stuck = ret;
	if (!ret && sluice->num_ranges)
		pci_set_master(sluice->pdev);
	if (sluice->engine)	/* has waited for this */
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
	if (ret && READ_ONCE(sluice->listening))
		pci_warn(sluice->pdev, "cannot be reset (%d): it is off until it is bound again\n",
			 ret);
}

/* The op has ended, unless it was aborted. */
static void pci_program_end(struct sluice_pci *sluice, int status)
{
	struct sluice_result result = { .status = status };
	struct sluice_engine *engine;

	spin_lock_irq(&sluice->lock);
	engine = sluice->engine;
	if (engine && !status)
		result.bytes = sluice->step->length;
	sluice->engine = NULL;
	spin_unlock_irq(&sluice->lock);
	if (engine)
		sluice_engine_done(engine, &result);
}

static void pci_program_go_on(struct sluice_pci *sluice, const struct sluice_step *step)
{
	int ret = -EIO;

	if (!READ_ONCE(sluice->stuck)) {
		ret = pci_program_run(sluice, step);
		if (ret == PCI_WAITS)
			return;
		if (ret && pci_program_runs(sluice))
			pci_program_stop(sluice);
	}
	pci_program_end(sluice, ret);
}

static void pci_program_work(struct work_struct *work)
{
	struct sluice_pci *sluice = container_of(work, struct sluice_pci, work);
	bool signalling = dma_fence_begin_signalling();
	const struct sluice_step *step = NULL;

	spin_lock_irq(&sluice->lock);
	if (sluice->engine)
		step = sluice->step;
	spin_unlock_irq(&sluice->lock);
	if (step)	/* an abort waits for this work, and the step for the abort */
		pci_program_go_on(sluice, step);
	dma_fence_end_signalling(signalling);
}

/**
 * pci_program_interrupt - an interrupt has come
 * @sluice: the device
 * @number: its number
 *
 * Hard interrupt context.
 */
void pci_program_interrupt(struct sluice_pci *sluice, unsigned int number)
{
	struct sluice_engine *engine = NULL;
	struct sluice_result result = {};

	spin_lock(&sluice->lock);
	if (sluice->engine && sluice->awaited != number) {
		__set_bit(number, &sluice->fired);
	} else if (sluice->engine) {
		sluice->awaited = PCI_NO_INTERRUPT;
		if (sluice->next < sluice->step->program.num_commands) {
			queue_work(sluice->wq, &sluice->work);
		} else {
			engine = sluice->engine;
			sluice->engine = NULL;
			result.bytes = sluice->step->length;
		}
	}
	spin_unlock(&sluice->lock);
	if (engine)
		sluice_engine_done(engine, &result);
}

/**
 * pci_program_check - ops->check_command
 * @priv: the device
 * @command: well-formed
 */
int pci_program_check(void *priv, const struct sluice_command *command)
{
	struct sluice_pci *sluice = priv;

	if (command->kind == SLUICE_COMMAND_INTERRUPT)
		return command->value < sluice->num_vectors ? 0 : -EINVAL;
	return pci_ranges_cover(sluice, command->bar, command->offset, command->width) ?
		0 : -EACCES;
}

/**
 * pci_program_start - ops->start
 * @engine: the engine
 * @step: the op, a PROGRAM
 */
int pci_program_start(struct sluice_engine *engine, const struct sluice_step *step)
{
	struct sluice_pci *sluice = sluice_engine_priv(engine);
	bool resetting;

	if (pci_dev_is_disconnected(sluice->pdev))
		return -ENODEV;
	spin_lock_irq(&sluice->lock);
	resetting = sluice->resetting;
	sluice->step = step;
	sluice->next = 0;
	sluice->fired = 0;
	sluice->awaited = PCI_NO_INTERRUPT;
	WRITE_ONCE(sluice->engine, engine);
	spin_unlock_irq(&sluice->lock);
	if (!resetting)	/* else its end is the beginning of this */
		pci_program_go_on(sluice, step);
	return 0;
}

/**
 * pci_program_abort - ops->abort
 * @engine: the engine
 */
void pci_program_abort(struct sluice_engine *engine)
{
	struct sluice_pci *sluice = sluice_engine_priv(engine);

	spin_lock_irq(&sluice->lock);
	WRITE_ONCE(sluice->engine, NULL);
	sluice->awaited = PCI_NO_INTERRUPT;
	spin_unlock_irq(&sluice->lock);
	pci_synchronize_interrupts(sluice);	/* they queue the work */
	cancel_work_sync(&sluice->work);
	pci_program_stop(sluice);
}

/**
 * pci_program_init - before the device is registered
 * @sluice: the device
 *
 * Return: 0 or -ENOMEM.
 */
int pci_program_init(struct sluice_pci *sluice)
{
	spin_lock_init(&sluice->lock);
	mutex_init(&sluice->setup);
	sluice->awaited = PCI_NO_INTERRUPT;
	INIT_WORK(&sluice->work, pci_program_work);
	INIT_WORK(&sluice->reset_work, pci_program_reset);
	sluice->wq = alloc_workqueue("sluice-pci-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 1,
				     pci_name(sluice->pdev));
	return sluice->wq ? 0 : -ENOMEM;
}

/**
 * pci_program_exit - the device is no longer registered, and is being unbound
 * @sluice: the device
 *
 * The next driver finds it as after a reset, if it was stopped in the middle.
 */
void pci_program_exit(struct sluice_pci *sluice)
{
	cancel_work_sync(&sluice->reset_work);
	destroy_workqueue(sluice->wq);
	pci_clear_master(sluice->pdev);
	if ((sluice->stuck || sluice->resetting) && !pci_dev_is_disconnected(sluice->pdev))
		pci_reset_function_locked(sluice->pdev);
}
