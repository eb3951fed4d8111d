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
 * The data and the lock are described in pci_program.h.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/pm_runtime.h>
#include <linux/wait_bit.h>

#include "pci_program.h"

#define PCI_RESET_PAUSE_MS	50	/* time between two attempts to reset the function */
#define PCI_FEW_COMMANDS	16	/* the most that pci_program_start() executes itself */
#define PCI_WAITS		1	/* a result: the program waits for an interrupt */

static struct pci_program *pci_program_of(struct pci_registers *regs)
{
	return container_of(regs, struct pci_program, registers);
}

/* Is the op still in flight?  An abort may have taken it away while the program runs. */
static bool pci_program_runs(struct pci_program *program)
{
	return READ_ONCE(program->cookie);
}

/*
 * Take the right to end the op.
 * Return: its cookie, or 0 if another context has taken it.
 */
static u32 pci_program_claim(struct pci_program *program)
{
	u32 cookie;

	spin_lock_irq(&program->registers.lock);
	cookie = program->cookie;
	WRITE_ONCE(program->cookie, 0);
	program->awaited = PCI_NO_INTERRUPT;
	spin_unlock_irq(&program->registers.lock);
	return cookie;
}

static void pci_program_end(struct pci_program *program, u32 cookie, int status)
{
	/* the core ignores the cookie if the op was aborted meanwhile */
	sluice_engine_fail(program->engine, cookie, status);
}

static int pci_program_poll(struct pci_program *program, const struct sluice_command *command)
{
	ktime_t deadline = ktime_add_us(ktime_get(), command->timeout_us);
	u64 value, ones = GENMASK_ULL(8 * command->width - 1, 0);
	bool late;

	for (;;) {
		late = ktime_after(ktime_get(), deadline);
		value = pci_registers_read(&program->registers, command);
		/* a removed device reads as all ones, a value for which a POLL may wait */
		if (value == ones && !pci_device_is_present(program->registers.pdev))
			return -ENODEV;
		if ((value & command->mask) == command->value)
			return 0;
		if (late)
			return -EIO;
		if (!pci_program_runs(program))
			return -ECANCELED;
		usleep_range(5, 50);
	}
}

/*
 * Wait for an interrupt.
 * Return: 0 if it has come; PCI_WAITS if not: then its handler continues the program.
 */
static int pci_program_await(struct pci_program *program, unsigned int number)
{
	int ret = 0;

	spin_lock_irq(&program->registers.lock);
	if (!__test_and_clear_bit(number, &program->fired)) {
		program->awaited = number;
		ret = PCI_WAITS;
	}
	spin_unlock_irq(&program->registers.lock);
	return ret;
}

static int pci_program_command(struct pci_program *program, const struct sluice_command *command)
{
	if (command->kind == SLUICE_COMMAND_INTERRUPT)
		return pci_program_await(program, command->value);
	/* since SUBMIT, root may have changed which registers programs may access */
	if (!pci_registers_cover(&program->registers, false, command->bar, command->offset,
				 command->width))
		return -EACCES;
	if (command->kind == SLUICE_COMMAND_POLL)
		return pci_program_poll(program, command);
	pci_registers_write(&program->registers, command);
	return 0;
}

/*
 * Run a program from its next command on.
 * Return: 0 at its end; PCI_WAITS; or a negative errno, with which the op ends.
 */
static int pci_program_run(struct pci_program *program, const struct sluice_op_desc *op)
{
	int ret = 0;

	if (!program->next) {	/* interrupts from before the program do not count */
		spin_lock_irq(&program->registers.lock);
		program->fired = 0;
		if (program->stuck)
			ret = -EIO;
		else if (program->registers.for_mmap)
			ret = -EACCES;
		spin_unlock_irq(&program->registers.lock);
	}
	/*
	 * check @ret before @op: if the program waits, the handler may end the op, and @op is then
	 * not valid
	 */
	while (!ret && program->next < op->program.num_commands) {
		if (!pci_program_runs(program))
			return -ECANCELED;
		ret = pci_program_command(program, &op->program.commands[program->next++]);
	}
	return ret;
}

static void pci_program_synchronize(struct pci_program *program)
{
	unsigned int i;

	for (i = 0; i < program->num_irqs; i++)
		synchronize_irq(program->irqs[i]);
}

/* From now on the device must touch no memory.  Reset it, because its state is unknown. */
static void pci_program_stop(struct pci_program *program)
{
	bool idle;

	spin_lock_irq(&program->registers.lock);
	idle = program->resetting || program->stuck;
	if (!idle) {
		program->resetting = true;
		pci_registers_halt(&program->registers);
	}
	spin_unlock_irq(&program->registers.lock);
	if (idle)	/* no program runs on a device that is being reset or is stuck */
		return;
	pci_program_synchronize(program);
	queue_delayed_work(system_long_wq, &program->reset_work, 0);
}

static void pci_program_go_on(struct pci_program *program, const struct sluice_op_desc *op)
{
	struct sluice_result result = { .status = pci_program_run(program, op) };
	u32 cookie;

	if (result.status == PCI_WAITS)
		return;
	cookie = pci_program_claim(program);
	if (!cookie)
		return;
	if (!result.status)
		result.bytes = op->length;
	else if (program->next)	/* otherwise no command was executed */
		pci_program_stop(program);
	sluice_engine_done(program->engine, cookie, &result);
}

static void pci_program_work(struct work_struct *work)
{
	struct pci_program *program = container_of(work, struct pci_program, work);
	bool signalling = dma_fence_begin_signalling();
	const struct sluice_op_desc *op = NULL;

	spin_lock_irq(&program->registers.lock);
	if (program->cookie)
		op = program->op;
	spin_unlock_irq(&program->registers.lock);
	if (op)	/* it stays valid: the abort of the op waits for this work */
		pci_program_go_on(program, op);
	dma_fence_end_signalling(signalling);
}

/*
 * A reset is over.  With @error 0 the device can be used, and otherwise it is stuck.  If an
 * op was handed out during the reset, start it.
 */
static void pci_program_ready(struct pci_program *program, int error)
{
	spin_lock_irq(&program->registers.lock);
	program->resetting = false;
	program->stuck = error;
	if (!error && program->listening)
		pci_registers_resume(&program->registers);
	if (program->cookie)
		queue_work(program->wq, &program->work);
	spin_unlock_irq(&program->registers.lock);
	/* pci_program_runtime_suspend() refuses during a reset, so ask again for a sleep */
	pm_request_autosuspend(&program->registers.pdev->dev);
}

static void pci_program_reset(struct work_struct *work)
{
	struct pci_program *program = container_of(to_delayed_work(work), struct pci_program,
						   reset_work);
	int ret = -ENODEV;

	if (!pci_dev_is_disconnected(program->registers.pdev))
		ret = pci_try_reset_function(program->registers.pdev);
	/*
	 * -EAGAIN: another context holds the lock of the device, such as the probe function.  Try
	 * again, but not while the device is being unbound: pci_program_exit() resets it.
	 */
	if (ret == -EAGAIN && !READ_ONCE(program->leaving)) {
		queue_delayed_work(system_long_wq, &program->reset_work,
				   msecs_to_jiffies(PCI_RESET_PAUSE_MS));
		return;
	}
	pci_program_ready(program, ret);
	if (ret && !READ_ONCE(program->leaving))
		pci_warn(program->registers.pdev,
			 "reset failed (%d): it stays off until it is bound again\n", ret);
}

/*
 * The device is about to be reset, or to lose its power.  If a program runs, it ends with -EIO.
 * Return: false if pci_program_stop() has already asked for a reset; otherwise true.
 */
static bool pci_program_suspend(struct pci_program *program)
{
	u32 cookie;
	bool ours;

	spin_lock_irq(&program->registers.lock);
	ours = program->resetting;
	program->resetting = true;
	pci_registers_halt(&program->registers);
	spin_unlock_irq(&program->registers.lock);
	if (ours)
		return false;
	cookie = pci_program_claim(program);
	pci_program_synchronize(program);	/* first, because the handlers queue the work */
	cancel_work_sync(&program->work);
	wait_var_event(&program->starting, !READ_ONCE(program->starting));
	if (cookie)
		pci_program_end(program, cookie, -EIO);
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
	struct pci_program *program = pci_program_of(pci_get_drvdata(pdev));

	if (!READ_ONCE(program->listening))	/* pci_program_exit() */
		return;
	program->foreign_reset = pci_program_suspend(program);
	sluice_device_block(program->registers.sdev);
	program->blocked = true;
}

/**
 * pci_program_reset_done - the kernel has reset the function, or has failed to
 * @pdev: the PCI device, whose lock is held
 *
 * Context: process context, may sleep; outside the signalling path.
 */
void pci_program_reset_done(struct pci_dev *pdev)
{
	struct pci_program *program = pci_program_of(pci_get_drvdata(pdev));

	if (!program->blocked)
		return;
	program->blocked = false;
	sluice_device_unblock(program->registers.sdev);
	if (program->foreign_reset)
		pci_program_ready(program, 0);
}

static int pci_program_pm_suspend(struct device *dev)
{
	struct pci_program *program = pci_program_of(dev_get_drvdata(dev));
	int ret = sluice_device_suspend(program->registers.sdev);

	if (ret)
		return ret;
	/* a program that failed may have queued a reset, which resume queues again */
	cancel_delayed_work_sync(&program->reset_work);
	program->foreign_reset = pci_program_suspend(program);
	return 0;
}

static int pci_program_pm_resume(struct device *dev)
{
	struct pci_program *program = pci_program_of(dev_get_drvdata(dev));

	if (program->foreign_reset)
		pci_program_ready(program, program->stuck ? -EIO : 0);
	else	/* pci_program_stop() had asked for a reset before the sleep */
		queue_delayed_work(system_long_wq, &program->reset_work, 0);
	sluice_device_resume(program->registers.sdev);
	return 0;
}

/* The device is not used, but it must not sleep before a pending reset is done. */
static int pci_program_runtime_suspend(struct device *dev)
{
	struct pci_program *program = pci_program_of(dev_get_drvdata(dev));
	bool resetting;

	spin_lock_irq(&program->registers.lock);
	resetting = program->resetting;
	spin_unlock_irq(&program->registers.lock);
	return resetting ? -EBUSY : 0;
}

const struct dev_pm_ops pci_program_pm = {
	SYSTEM_SLEEP_PM_OPS(pci_program_pm_suspend, pci_program_pm_resume)
	RUNTIME_PM_OPS(pci_program_runtime_suspend, NULL, NULL)
};

/**
 * pci_program_interrupt - tell the program that an interrupt has come
 * @program: the program of the device
 * @number: number of the interrupt for userspace
 *
 * Context: hard interrupt.
 * Return: true if the interrupt is also for the core; false if the device is not registered yet,
 * or is being unregistered.
 */
bool pci_program_interrupt(struct pci_program *program, unsigned int number)
{
	struct sluice_result result = {};
	u32 cookie = 0;

	if (!READ_ONCE(program->listening))
		return false;
	spin_lock(&program->registers.lock);
	if (program->cookie && program->awaited != number) {
		__set_bit(number, &program->fired);
	} else if (program->cookie) {
		program->awaited = PCI_NO_INTERRUPT;
		if (program->next < program->op->program.num_commands) {
			queue_work(program->wq, &program->work);
		} else {
			cookie = program->cookie;
			program->cookie = 0;
			result.bytes = program->op->length;
		}
	}
	spin_unlock(&program->registers.lock);
	if (cookie)
		sluice_engine_done(program->engine, cookie, &result);
	return true;
}

/**
 * pci_program_check - decide whether a program may use a command; for ->check_command()
 * @priv: the registers of the device, a struct pci_registers
 * @command: the command; the core has checked its form
 *
 * A 32-bit kernel would access a register of 8 bytes as two halves.  Some devices do not accept
 * this as one access.  A program that wants two accesses must therefore have two commands.
 *
 * Context: process context; does not sleep.
 * Return: 0, or a negative errno:
 *
 *	-EPERM		the command uses a register, and the kernel is locked down
 *	-EACCES		the register is not in a range for programs
 *	-EACCES		the command waits for an interrupt, and the ranges are for processes
 *	-EINVAL		the device has no such interrupt
 *	-EOPNOTSUPP	an access of 8 bytes on a 32-bit kernel
 */
int pci_program_check(void *priv, const struct sluice_command *command)
{
	struct pci_program *program = pci_program_of(priv);
	int ret;

	if (command->width > sizeof(long))
		return -EOPNOTSUPP;
	if (command->kind != SLUICE_COMMAND_INTERRUPT) {
		ret = pci_registers_locked_down(&program->registers);
		if (ret)
			return ret;
		return pci_registers_cover(&program->registers, false, command->bar,
					   command->offset, command->width) ? 0 : -EACCES;
	}
	if (command->value >= program->num_irqs)
		return -EINVAL;
	/*
	 * a process that has mapped registers could delay the interrupt, and so the fence of the
	 * job
	 */
	return READ_ONCE(program->registers.for_mmap) ? -EACCES : 0;
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
	struct pci_program *program = pci_program_of(sluice_engine_priv(engine));
	bool here;

	if (pci_dev_is_disconnected(program->registers.pdev))
		return -ENODEV;
	spin_lock_irq(&program->registers.lock);
	program->op = op;
	program->next = 0;
	program->awaited = PCI_NO_INTERRUPT;
	program->engine = engine;
	WRITE_ONCE(program->cookie, op->cookie);
	/* during a reset: pci_program_ready() starts the program afterwards */
	here = !program->resetting && pci_program_is_quick(op);
	program->starting = here;
	if (!here && !program->resetting)
		queue_work(program->wq, &program->work);
	spin_unlock_irq(&program->registers.lock);
	if (here) {
		pci_program_go_on(program, op);
		/*
		 * Release: the run is over before this is false.  Pairs with the condition of
		 * wait_var_event() in pci_program_suspend() and pci_program_forbid().
		 */
		smp_store_release(&program->starting, false);
		/*
		 * Order the store before waitqueue_active() in wake_up_var().  Pairs with the
		 * barrier of the same wait_var_event().
		 */
		smp_mb();
		wake_up_var(&program->starting);
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
	struct pci_program *program = pci_program_of(sluice_engine_priv(engine));

	pci_program_claim(program);
	pci_program_synchronize(program);	/* first, because the handlers queue the work */
	cancel_work_sync(&program->work);
	pci_program_stop(program);
	return SLUICE_ABORTED_ALL;
}

/*
 * End the program, because the registers are for processes from now on.  A program that runs ends
 * with -EACCES, and the device is reset.  A program that is handed out later also ends with
 * -EACCES.  For regs->forbid.
 */
static void pci_program_forbid(struct pci_registers *regs)
{
	struct pci_program *program = pci_program_of(regs);
	u32 cookie = pci_program_claim(program);

	pci_program_synchronize(program);	/* first, because the handlers queue the work */
	cancel_work_sync(&program->work);
	wait_var_event(&program->starting, !READ_ONCE(program->starting));
	if (cookie) {
		pci_program_stop(program);
		pci_program_end(program, cookie, -EACCES);
	}
	/* the next op may have started, and cancel_work_sync() may have cancelled its work */
	spin_lock_irq(&regs->lock);
	if (program->cookie && !program->resetting)
		queue_work(program->wq, &program->work);
	spin_unlock_irq(&regs->lock);
}

/**
 * pci_program_init - prepare for programs, before the device is registered
 * @program: the program of the device; its registers are initialized
 *
 * Context: the probe function.
 * Return: 0 or -ENOMEM.
 */
int pci_program_init(struct pci_program *program)
{
	program->registers.forbid = pci_program_forbid;
	program->awaited = PCI_NO_INTERRUPT;
	INIT_WORK(&program->work, pci_program_work);
	INIT_DELAYED_WORK(&program->reset_work, pci_program_reset);
	program->wq = alloc_workqueue("sluice-pci-%s", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 1,
				      pci_name(program->registers.pdev));
	return program->wq ? 0 : -ENOMEM;
}

/**
 * pci_program_enter - handle interrupts from now on: the device is registered
 * @program: the program of the device
 *
 * Context: the probe function.
 */
void pci_program_enter(struct pci_program *program)
{
	WRITE_ONCE(program->listening, true);
}

/**
 * pci_program_leave - stop the device, before it is unregistered
 * @program: the program of the device
 *
 * Afterwards the device touches no memory, and its interrupts are ignored.  Buffers are unmapped
 * only after this function.
 *
 * Context: the remove function.
 */
void pci_program_leave(struct pci_program *program)
{
	spin_lock_irq(&program->registers.lock);
	WRITE_ONCE(program->listening, false);
	WRITE_ONCE(program->leaving, true);
	pci_registers_halt(&program->registers);
	spin_unlock_irq(&program->registers.lock);
	pci_program_synchronize(program);
}

/**
 * pci_program_exit - undo pci_program_init(), when the device is unregistered
 * @program: the program of the device
 *
 * If ranges of registers were ever set, a user may have started the device.  Therefore reset
 * it, if that is possible: the next driver finds it in its initial state.
 *
 * Context: the remove function, which holds the lock of the PCI device; or the probe function.
 */
void pci_program_exit(struct pci_program *program)
{
	cancel_delayed_work_sync(&program->reset_work);
	destroy_workqueue(program->wq);
	if (program->registers.used && !pci_dev_is_disconnected(program->registers.pdev))
		pci_reset_function_locked(program->registers.pdev);
}
