// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the pci driver.  A program is an op: a list of register accesses, which the
 * kernel executes.
 *
 * A context runs a program until its end, or until a command that waits for an interrupt which
 * has not come yet.  The first context is pci_program_start() if the program is short and has
 * no POLL.  Otherwise it is a work item.  When the interrupt comes, its handler does one of two
 * things:
 *
 * - If the wait was the last command, the handler ends the op.
 * - Otherwise it queues the work item, because the next commands may be POLLs.
 *
 * If a program fails or is aborted, the state of the device is unknown.  pci_program_stop()
 * turns bus mastering off at once, so that the device touches no memory, and the op ends.
 * Another work item then resets the function.  A reset takes locks for which no fence may
 * wait, so it is outside the signalling path.  An op that is handed out during the reset
 * begins after it, or ends with the timeout of its job.  If the function cannot be reset, the
 * device is *stuck*: programs fail with -EIO until the device is bound again.
 *
 * A system sleep has the effect of a reset, because the device may lose its power.  The core
 * has ended or stopped all ops before.
 *
 * sluice->lock guards the state of the program: see struct sluice_pci.  The context that sets
 * sluice->cookie to 0, with the lock held, is the only one that ends the op.  The core is not
 * called with the lock held.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/nospec.h>
#include <linux/pm_runtime.h>
#include <linux/wait_bit.h>

#include "pci.h"

#define PCI_RESET_PAUSE_MS	50	/* time between two attempts to reset the function */
#define PCI_FEW_COMMANDS	16	/* most commands that pci_program_start() executes itself */
#define PCI_WAITS		1	/* pci_program_run(): the program waits for an interrupt */

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
	return U64_MAX;		/* not reached: pci_program_check() refuses other widths */
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

/* Is the op still in flight?  It is not if it was aborted while the program runs. */
static bool pci_program_runs(struct sluice_pci *sluice)
{
	return READ_ONCE(sluice->cookie);
}

/*
 * Take the right to end the op.
 * Return: its cookie, or 0 if another context has taken it.
 */
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
	/* the core ignores the cookie if the op was aborted meanwhile */
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
		/* a removed device reads as all ones, a value for which a POLL may wait */
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

/*
 * Wait for an interrupt.
 * Return: 0 if it has come; PCI_WAITS if not: then its handler continues the program.
 */
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
	/* root may have changed the ranges since SUBMIT */
	if (!pci_ranges_cover(sluice, false, command->bar, command->offset, command->width))
		return -EACCES;
	if (command->kind == SLUICE_COMMAND_POLL)
		return pci_program_poll(sluice, command);
	pci_write_register(sluice, command);
	return 0;
}

/*
 * Run a program from its next command on.
 * Return: 0 at its end; PCI_WAITS; or a negative errno, with which the op ends.
 */
static int pci_program_run(struct sluice_pci *sluice, const struct sluice_op_desc *op)
{
	int ret = 0;

	if (!sluice->next) {	/* interrupts from before the program do not count */
		spin_lock_irq(&sluice->lock);
		sluice->fired = 0;
		if (sluice->stuck)
			ret = -EIO;
		else if (sluice->for_mmap)
			ret = -EACCES;
		spin_unlock_irq(&sluice->lock);
	}
	/* check @ret before @op: when the program waits, the handler may end the op at any time */
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

/* The device must not touch memory any more.  Reset it, because its state is unknown. */
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
	if (idle)	/* no program runs on a device that is being reset or is stuck */
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
	else if (sluice->next)	/* otherwise no command was executed */
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
	if (op)	/* it stays valid: the abort of the op waits for this work */
		pci_program_go_on(sluice, op);
	dma_fence_end_signalling(signalling);
}

/*
 * A reset is over.  With @error 0 the device can be used, and otherwise it is stuck.  If an
 * op was handed out during the reset, start it.
 */
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
	/* pci_program_runtime_suspend() refuses during a reset, so ask again for a sleep */
	pm_request_autosuspend(&sluice->pdev->dev);
}

static void pci_program_reset(struct work_struct *work)
{
	struct sluice_pci *sluice = container_of(to_delayed_work(work), struct sluice_pci,
						 reset_work);
	int ret = -ENODEV;

	if (!pci_dev_is_disconnected(sluice->pdev))
		ret = pci_try_reset_function(sluice->pdev);
	/*
	 * -EAGAIN: another context holds the lock of the device.  Try again, but not while the
	 * device is being unbound: pci_program_exit() resets it.
	 */
	if (ret == -EAGAIN && READ_ONCE(sluice->listening)) {
		queue_delayed_work(system_long_wq, &sluice->reset_work,
				   msecs_to_jiffies(PCI_RESET_PAUSE_MS));
		return;
	}
	pci_program_ready(sluice, ret);
	if (ret && READ_ONCE(sluice->listening))
		pci_warn(sluice->pdev, "reset failed (%d): it stays off until it is bound again\n",
			 ret);
}

/*
 * The device is about to be reset, or to lose its power.  If a program runs, it ends with -EIO.
 * Return: false if pci_program_stop() has already asked for a reset; otherwise true.
 */
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
	pci_synchronize_interrupts(sluice);	/* first, because their handlers queue the work */
	cancel_work_sync(&sluice->work);
	wait_var_event(&sluice->starting, !READ_ONCE(sluice->starting));
	if (cookie)
		pci_program_end(sluice, cookie, -EIO);
	return true;
}

/**
 * pci_program_reset_prepare - the kernel is about to reset the function
 * @pdev: the PCI device, whose lock is held
 *
 * The reset was asked for by pci_program_reset() or through sysfs.  The device does not answer
 * during the reset, so no CPU may access it: zap the mappings of its BARs.
 *
 * Context: process context, may sleep; outside the signalling path.
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
 * pci_program_reset_done - the kernel has reset the function, or has failed to
 * @pdev: the PCI device, whose lock is held
 *
 * Context: process context, may sleep; outside the signalling path.
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
	/* a program that failed may have queued a reset, which resume queues again */
	cancel_delayed_work_sync(&sluice->reset_work);
	sluice->foreign_reset = pci_program_suspend(sluice);
	return 0;
}

static int pci_program_pm_resume(struct device *dev)
{
	struct sluice_pci *sluice = dev_get_drvdata(dev);

	if (sluice->foreign_reset)
		pci_program_ready(sluice, sluice->stuck ? -EIO : 0);
	else	/* pci_program_stop() had asked for a reset before the sleep */
		queue_delayed_work(system_long_wq, &sluice->reset_work, 0);
	sluice_device_resume(sluice->sdev);
	return 0;
}

/* The device is not used, but it must not sleep before a pending reset is done. */
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
 * pci_program_interrupt - tell the program that an interrupt has come
 * @sluice: the device
 * @number: number of the interrupt for userspace
 *
 * Context: hard interrupt.
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
 * pci_program_check - decide whether a program may use a command; for ->check_command()
 * @priv: the device, a struct sluice_pci
 * @command: the command; the core has checked its form
 *
 * A 32-bit kernel would access a register of 8 bytes as two halves.  Some devices do not accept
 * this as one access.  A program that wants two accesses must therefore have two commands.
 *
 * Context: process context; does not sleep.
 * Return: 0, or a negative errno:
 *
 *	-EACCES		the register is not in a range for programs
 *	-EACCES		the command waits for an interrupt, and the ranges are for processes
 *	-EINVAL		the device has no such interrupt
 *	-EOPNOTSUPP	an access of 8 bytes on a 32-bit kernel
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
	/* a process that has mapped registers could decide when the interrupt comes */
	return READ_ONCE(sluice->for_mmap) ? -EACCES : 0;
}

/*
 * May pci_program_start() run the program?  It may be called inside a SUBMIT, which must not
 * take long.
 */
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
 * pci_program_start - begin a program; for ->start()
 * @engine: the engine of the device
 * @op: the op, of kind SLUICE_OP_PROGRAM
 *
 * Context: process context, in the signalling path of fences.
 * Return: 0, or -ENODEV if the device is unplugged.
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
	/* during a reset: pci_program_ready() starts the program afterwards */
	here = !sluice->resetting && pci_program_is_quick(op);
	sluice->starting = here;
	if (!here && !sluice->resetting)
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
	if (here) {
		pci_program_go_on(sluice, op);
		/*
		 * Release: the run is over before this is false.  Pairs with the condition of
		 * wait_var_event() in pci_program_suspend() and pci_program_forbid().
		 */
		smp_store_release(&sluice->starting, false);
		/*
		 * Order the store before waitqueue_active() in wake_up_var().  Pairs with the
		 * barrier of the same wait_var_event().
		 */
		smp_mb();
		wake_up_var(&sluice->starting);
	}
	return 0;
}

/**
 * pci_program_abort - stop the program; for ->abort()
 * @engine: the engine of the device
 * @cookie: cookie of its only op, or SLUICE_ALL_OPS
 *
 * Context: process context, in the signalling path of fences.  May sleep.
 * Return: SLUICE_ABORTED_ALL.
 */
enum sluice_aborted pci_program_abort(struct sluice_engine *engine, u32 cookie)
{
	struct sluice_pci *sluice = sluice_engine_priv(engine);

	pci_program_claim(sluice);
	pci_synchronize_interrupts(sluice);	/* first, because their handlers queue the work */
	cancel_work_sync(&sluice->work);
	pci_program_stop(sluice);
	return SLUICE_ABORTED_ALL;
}

/**
 * pci_program_forbid - end the program, because the registers are for processes from now on
 * @sluice: the device; its @for_mmap is true, and the caller holds its @setup
 *
 * A program that runs ends with -EACCES, and the device is reset.  A program that is handed out
 * later also ends with -EACCES.
 *
 * Context: process context, may sleep.
 */
void pci_program_forbid(struct sluice_pci *sluice)
{
	u32 cookie = pci_program_claim(sluice);

	pci_synchronize_interrupts(sluice);	/* first, because their handlers queue the work */
	cancel_work_sync(&sluice->work);
	wait_var_event(&sluice->starting, !READ_ONCE(sluice->starting));
	if (cookie) {
		pci_program_stop(sluice);
		pci_program_end(sluice, cookie, -EACCES);
	}
	/* the next op may have started, and cancel_work_sync() may have cancelled its work */
	spin_lock_irq(&sluice->lock);
	if (sluice->cookie && !sluice->resetting)
		queue_work(sluice->wq, &sluice->work);
	spin_unlock_irq(&sluice->lock);
}

/**
 * pci_program_init - prepare for programs, before the device is registered
 * @sluice: the device; its @pdev is set
 *
 * Context: the probe function.
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
 * pci_program_leave - stop the device, before it is unregistered
 * @sluice: the device
 *
 * Afterwards the device touches no memory, and its interrupts are ignored.  The first buffer is
 * unmapped after that.
 *
 * Context: the remove function.
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
 * pci_program_exit - release what pci_program_init() has made, when the device is unregistered
 * @sluice: the device
 *
 * If ranges of registers were ever set, a user may have started the device.  Therefore reset
 * it, if that is possible: the next driver finds it in its initial state.
 *
 * Context: the remove function, which holds the lock of the PCI device; or the probe function.
 */
void pci_program_exit(struct sluice_pci *sluice)
{
	cancel_delayed_work_sync(&sluice->reset_work);
	destroy_workqueue(sluice->wq);
	if (sluice->used && !pci_dev_is_disconnected(sluice->pdev))
		pci_reset_function_locked(sluice->pdev);
}
