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
 *
 * System sleep is a reset, too: the device may lose its power.  By then the core has
 * ended what ran.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/nospec.h>
#include <linux/pm_runtime.h>
#include <linux/wait_bit.h>

#include "pci.h"

#define PCI_RESET_PAUSE_MS	50	/* before it is tried again */
#define PCI_FEW_COMMANDS	16	/* done by whoever starts the op */
#define PCI_WAITS	1	/* a program's state, beside 0 and errnos: an interrupt is to come */

static void __iomem *pci_register(const struct sluice_pci *sluice,
				  const struct sluice_command *command)
{
	unsigned int bar = array_index_nospec(command->bar, PCI_STD_NUM_BARS);

	return sluice->regs[bar] + command->offset;
}

static u64 pci_read_register(const struct sluice_pci *sluice,
			     const struct sluice_command *command)
{
	void __iomem *address = pci_register(sluice, command);

	switch (command->width) {
	case 1:
		return readb(address);
	case 2:
		return readw(address);
	case 4:
		return readl(address);
#ifdef CONFIG_64BIT
	case 8:
		return readq(address);
#endif
	}
	return U64_MAX;		/* pci_program_check() has refused it */
}

static void pci_write_register(const struct sluice_pci *sluice,
			       const struct sluice_command *command)
{
	void __iomem *address = pci_register(sluice, command);
	u64 value = command->value;

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
#ifdef CONFIG_64BIT
	case 8:
		writeq(value, address);
		break;
#endif
	}
}

/* Is the op still wanted?  Not if it was aborted while its work was under way. */
static bool pci_program_runs(struct sluice_pci *sluice)
{
	return READ_ONCE(sluice->cookie);
}

/* Whoever gets the cookie ends the op, and nobody else. */
static u32 pci_program_claim(struct sluice_pci *sluice)
{
	u32 cookie;

	spin_lock_irq(&sluice->lock);
	cookie = sluice->cookie;
	WRITE_ONCE(sluice->cookie, 0);
	sluice->awaited = PCI_NO_INTERRUPT;
	spin_unlock_irq(&sluice->lock);
	return cookie;
}

static void pci_program_end(struct sluice_pci *sluice, u32 cookie, int status)
{
	/* ignored if it has been aborted meanwhile */
	sluice_engine_fail(sluice->engine, cookie, status);
}

static int pci_program_poll(struct sluice_pci *sluice, const struct sluice_command *command)
{
	ktime_t deadline = ktime_add_us(ktime_get(), command->timeout_us);
	u64 value, ones = GENMASK_ULL(8 * command->width - 1, 0);
	bool late;

	for (;;) {
		late = ktime_after(ktime_get(), deadline);
		value = pci_read_register(sluice, command);
		/* what a device that has gone answers would do for many a register */
		if (value == ones && !pci_device_is_present(sluice->pdev))
			return -ENODEV;
		if ((value & command->mask) == command->value)
			return 0;
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

static int pci_program_command(struct sluice_pci *sluice, const struct sluice_command *command)
{
	if (command->kind == SLUICE_COMMAND_INTERRUPT)
		return pci_program_await(sluice, command->value);
	/* root may have changed his mind since SUBMIT */
	if (!pci_ranges_cover(sluice, false, command->bar, command->offset, command->width))
		return -EACCES;
	if (command->kind == SLUICE_COMMAND_POLL)
		return pci_program_poll(sluice, command);
	pci_write_register(sluice, command);
	return 0;
}

/* Return: 0 at the end, PCI_WAITS, or why it cannot go on. */
static int pci_program_run(struct sluice_pci *sluice, const struct sluice_op_desc *op)
{
	int ret = 0;

	if (!sluice->next) {	/* what came before, or during a reset, does not count */
		spin_lock_irq(&sluice->lock);
		sluice->fired = 0;
		if (sluice->stuck)
			ret = -EIO;
		else if (sluice->for_mmap)
			ret = -EACCES;
		spin_unlock_irq(&sluice->lock);
	}
	/* while it waits, the op may be gone already */
	while (!ret && sluice->next < op->program.num_commands) {
		if (!pci_program_runs(sluice))
			return -ECANCELED;
		ret = pci_program_command(sluice, &op->program.commands[sluice->next++]);
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
	bool idle;

	spin_lock_irq(&sluice->lock);
	idle = sluice->resetting || sluice->stuck;
	if (!idle) {
		sluice->resetting = true;
		pci_clear_master(sluice->pdev);
	}
	spin_unlock_irq(&sluice->lock);
	if (idle)	/* the program had not begun */
		return;
	pci_synchronize_interrupts(sluice);
	queue_delayed_work(system_long_wq, &sluice->reset_work, 0);
}

static void pci_program_go_on(struct sluice_pci *sluice, const struct sluice_op_desc *op)
{
	struct sluice_result result = { .status = pci_program_run(sluice, op) };
	u32 cookie;

	if (result.status == PCI_WAITS)
		return;
	cookie = pci_program_claim(sluice);
	if (!cookie)
		return;
	if (!result.status)
		result.bytes = op->length;
	else if (sluice->next)	/* else it had not begun */
		pci_program_stop(sluice);
	sluice_engine_done(sluice->engine, cookie, &result);
}

static void pci_program_work(struct work_struct *work)
{
	struct sluice_pci *sluice = container_of(work, struct sluice_pci, work);
	bool signalling = dma_fence_begin_signalling();
	const struct sluice_op_desc *op = NULL;

	spin_lock_irq(&sluice->lock);
	if (sluice->cookie)
		op = sluice->op;
	spin_unlock_irq(&sluice->lock);
	if (op)	/* an abort waits for this work, and the op for the abort */
		pci_program_go_on(sluice, op);
	dma_fence_end_signalling(signalling);
}

/* The device is as after a reset, or off for good (@error); an op may have waited for that. */
static void pci_program_ready(struct sluice_pci *sluice, int error)
{
	spin_lock_irq(&sluice->lock);
	sluice->resetting = false;
	sluice->stuck = error;
	if (!error && sluice->num_ranges && sluice->listening)
		pci_set_master(sluice->pdev);
	if (sluice->cookie)
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
	/* the reset has kept it from that: pci_program_runtime_suspend() */
	pm_request_autosuspend(&sluice->pdev->dev);
}

static void pci_program_reset(struct work_struct *work)
{
	struct sluice_pci *sluice = container_of(to_delayed_work(work), struct sluice_pci,
						 reset_work);
	int ret = -ENODEV;

	if (!pci_dev_is_disconnected(sluice->pdev))
		ret = pci_try_reset_function(sluice->pdev);
	/* somebody has it locked.  Whoever unbinds it resets it himself: pci_program_exit() */
	if (ret == -EAGAIN && READ_ONCE(sluice->listening)) {
		queue_delayed_work(system_long_wq, &sluice->reset_work,
				   msecs_to_jiffies(PCI_RESET_PAUSE_MS));
		return;
	}
	pci_program_ready(sluice, ret);
	if (ret && READ_ONCE(sluice->listening))
		pci_warn(sluice->pdev, "cannot be reset (%d): it is off until it is bound again\n",
			 ret);
}

/* Somebody else is about to make the device forget all: what runs fails. */
static bool pci_program_suspend(struct sluice_pci *sluice)
{
	u32 cookie;
	bool ours;

	spin_lock_irq(&sluice->lock);
	ours = sluice->resetting;
	sluice->resetting = true;
	pci_clear_master(sluice->pdev);
	spin_unlock_irq(&sluice->lock);
	if (ours)
		return false;
	cookie = pci_program_claim(sluice);
	pci_synchronize_interrupts(sluice);	/* they queue the work */
	cancel_work_sync(&sluice->work);
	wait_var_event(&sluice->starting, !READ_ONCE(sluice->starting));
	if (cookie)
		pci_program_end(sluice, cookie, -EIO);
	return true;
}

/**
 * pci_program_reset_prepare - the function is about to be reset, by us or through sysfs
 * @pdev: the PCI device, locked
 *
 * It will not answer for a while, which no CPU must get to see.
 */
void pci_program_reset_prepare(struct pci_dev *pdev)
{
	struct sluice_pci *sluice = pci_get_drvdata(pdev);

	if (!READ_ONCE(sluice->listening))	/* pci_program_exit() */
		return;
	sluice->foreign_reset = pci_program_suspend(sluice);
	sluice_device_block(sluice->sdev);
	sluice->blocked = true;
}

/**
 * pci_program_reset_done - it has been reset, or could not be
 * @pdev: the PCI device, locked
 */
void pci_program_reset_done(struct pci_dev *pdev)
{
	struct sluice_pci *sluice = pci_get_drvdata(pdev);

	if (!sluice->blocked)
		return;
	sluice->blocked = false;
	sluice_device_unblock(sluice->sdev);
	if (sluice->foreign_reset)
		pci_program_ready(sluice, 0);
}

static int pci_program_pm_suspend(struct device *dev)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);
	int ret = sluice_device_suspend(sluice->sdev);

	if (ret)
		return ret;
	/* the end of a program may have asked for it */
	cancel_delayed_work_sync(&sluice->reset_work);
	sluice->foreign_reset = pci_program_suspend(sluice);
	return 0;
}

static int pci_program_pm_resume(struct device *dev)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);

	if (sluice->foreign_reset)
		pci_program_ready(sluice, sluice->stuck ? -EIO : 0);
	else	/* ours was still to be done */
		queue_delayed_work(system_long_wq, &sluice->reset_work, 0);
	sluice_device_resume(sluice->sdev);
	return 0;
}

/* Nobody uses the device, but the last program may have left a reset to be done. */
static int pci_program_runtime_suspend(struct device *dev)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);
	bool resetting;

	spin_lock_irq(&sluice->lock);
	resetting = sluice->resetting;
	spin_unlock_irq(&sluice->lock);
	return resetting ? -EBUSY : 0;
}

const struct dev_pm_ops pci_program_pm = {
	SYSTEM_SLEEP_PM_OPS(pci_program_pm_suspend, pci_program_pm_resume)
	RUNTIME_PM_OPS(pci_program_runtime_suspend, NULL, NULL)
};

/**
 * pci_program_interrupt - an interrupt has come
 * @sluice: the device
 * @number: its number
 *
 * Hard interrupt context.
 */
void pci_program_interrupt(struct sluice_pci *sluice, unsigned int number)
{
	struct sluice_result result = {};
	u32 cookie = 0;

	spin_lock(&sluice->lock);
	if (sluice->cookie && sluice->awaited != number) {
		__set_bit(number, &sluice->fired);
	} else if (sluice->cookie) {
		sluice->awaited = PCI_NO_INTERRUPT;
		if (sluice->next < sluice->op->program.num_commands) {
			queue_work(sluice->wq, &sluice->work);
		} else {
			cookie = sluice->cookie;
			sluice->cookie = 0;
			result.bytes = sluice->op->length;
		}
	}
	spin_unlock(&sluice->lock);
	if (cookie)
		sluice_engine_done(sluice->engine, cookie, &result);
}

/**
 * pci_program_check - ops->check_command
 * @priv: the device
 * @command: well-formed
 *
 * A 32-bit kernel would access a register of 8 bytes as two halves, and not all devices
 * take that for one access: the program has to say so, with two commands of 4 bytes.
 *
 * Context: process.
 * Return: 0, or -EACCES, -EINVAL, or -EOPNOTSUPP for 8 bytes in a 32-bit kernel.
 */
int pci_program_check(void *priv, const struct sluice_command *command)
{
	struct sluice_pci *sluice = priv;

	if (command->width > sizeof(long))
		return -EOPNOTSUPP;
	if (command->kind != SLUICE_COMMAND_INTERRUPT)
		return pci_ranges_cover(sluice, false, command->bar, command->offset,
					command->width) ? 0 : -EACCES;
	if (command->value >= sluice->num_vectors)
		return -EINVAL;
	/* a process that has the device's registers can raise it */
	return READ_ONCE(sluice->for_mmap) ? -EACCES : 0;
}

/* Is it done at once, as far as it goes?  start() may be somebody's SUBMIT. */
static bool pci_program_is_quick(const struct sluice_op_desc *op)
{
	u32 i;

	if (op->program.num_commands > PCI_FEW_COMMANDS)
		return false;
	for (i = 0; i < op->program.num_commands; i++)
		if (op->program.commands[i].kind == SLUICE_COMMAND_POLL)
			return false;
	return true;
}

/**
 * pci_program_start - ops->start
 * @engine: the engine
 * @op: the op, a PROGRAM
 */
int pci_program_start(struct sluice_engine *engine, const struct sluice_op_desc *op)
{
	struct sluice_pci *sluice = sluice_engine_priv(engine);
	bool here;

	if (pci_dev_is_disconnected(sluice->pdev))
		return -ENODEV;
	spin_lock_irq(&sluice->lock);
	sluice->op = op;
	sluice->next = 0;
	sluice->awaited = PCI_NO_INTERRUPT;
	sluice->engine = engine;
	WRITE_ONCE(sluice->cookie, op->cookie);
	/* with a reset under way its end is the beginning of this */
	here = !sluice->resetting && pci_program_is_quick(op);
	sluice->starting = here;
	if (!here && !sluice->resetting)
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
	if (here) {
		pci_program_go_on(sluice, op);
		smp_store_release(&sluice->starting, false);
		/* or the look for who waits could come before that was seen */
		smp_mb();
		wake_up_var(&sluice->starting);
	}
	return 0;
}

/**
 * pci_program_abort - ops->abort
 * @engine: the engine
 * @cookie: of its only op
 */
enum sluice_aborted pci_program_abort(struct sluice_engine *engine, u32 cookie)
{
	struct sluice_pci *sluice = sluice_engine_priv(engine);

	pci_program_claim(sluice);
	pci_synchronize_interrupts(sluice);	/* they queue the work */
	cancel_work_sync(&sluice->work);
	pci_program_stop(sluice);
	return SLUICE_ABORTED_ALL;
}

/**
 * pci_program_forbid - the device is given to processes: a program that runs ends
 * @sluice: the device, with @for_mmap set, and the lock that guards setting it held
 *
 * With -EACCES; its device is reset.  One that is still queued ends so when it is its turn.
 *
 * Context: may sleep.
 */
void pci_program_forbid(struct sluice_pci *sluice)
{
	u32 cookie = pci_program_claim(sluice);

	pci_synchronize_interrupts(sluice);	/* they queue the work */
	cancel_work_sync(&sluice->work);
	wait_var_event(&sluice->starting, !READ_ONCE(sluice->starting));
	if (cookie) {
		pci_program_stop(sluice);
		pci_program_end(sluice, cookie, -EACCES);
	}
	/* the next may have come to the engine by now: see for itself */
	spin_lock_irq(&sluice->lock);
	if (sluice->cookie && !sluice->resetting)
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
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
	INIT_DELAYED_WORK(&sluice->reset_work, pci_program_reset);
	sluice->wq = alloc_workqueue("sluice-pci-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 1,
				     pci_name(sluice->pdev));
	return sluice->wq ? 0 : -ENOMEM;
}

/**
 * pci_program_leave - the device is about to be unregistered
 * @sluice: the device
 *
 * It is stopped before the first buffer is unmapped.
 */
void pci_program_leave(struct sluice_pci *sluice)
{
	spin_lock_irq(&sluice->lock);
	WRITE_ONCE(sluice->listening, false);
	pci_clear_master(sluice->pdev);
	spin_unlock_irq(&sluice->lock);
	pci_synchronize_interrupts(sluice);
}

/**
 * pci_program_exit - the device is no longer registered, and is being unbound
 * @sluice: the device
 *
 * Where somebody could have started something, the next driver finds it as after a
 * reset, if it can be reset.
 */
void pci_program_exit(struct sluice_pci *sluice)
{
	cancel_delayed_work_sync(&sluice->reset_work);
	destroy_workqueue(sluice->wq);
	if (sluice->used && !pci_dev_is_disconnected(sluice->pdev))
		pci_reset_function_locked(sluice->pdev);
}
