// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/sluice: the live objects.  See debugfs.h.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "account.h"
#include "buffer.h"
#include "client.h"
#include "compat/fence.h"
#include "compat/list.h"
#include "debugfs.h"
#include "device.h"
#include "engine.h"
#include "entity.h"
#include "flight.h"
#include "heap.h"
#include "object.h"
#include "pool.h"
#include "queue.h"
#include "sluice.h"
#include "watch.h"

/* Most jobs of a queue, and most in-fences of a job: they are printed with interrupts off. */
#define SLUICE_DEBUGFS_JOBS	16
#define SLUICE_DEBUGFS_FENCES	64U

static struct dentry *sluice_debugfs_root;

static const char * const sluice_debugfs_object_names[SLUICE_NUM_OBJECTS] = {
	[SLUICE_OBJECT_DEVICE] = "devices",
	[SLUICE_OBJECT_CLIENT] = "clients",
	[SLUICE_OBJECT_BUFFER] = "buffers",
	[SLUICE_OBJECT_MAPPING] = "mappings",
	[SLUICE_OBJECT_QUEUE] = "queues",
	[SLUICE_OBJECT_SLOT] = "slots",
	[SLUICE_OBJECT_JOB] = "jobs",
	[SLUICE_OBJECT_FENCE] = "pending-fences",
};

static int sluice_debugfs_objects_show(struct seq_file *m, void *data)
{
	unsigned int i;

	for (i = 0; i < SLUICE_NUM_OBJECTS; i++)
		seq_printf(m, "%s %ld\n", sluice_debugfs_object_names[i],
			   sluice_object_sum(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_debugfs_objects);

/*
 * The lock of the list that has the buffer is held.  The release of a dma-buf needs this lock to
 * remove its buffer from the list, so the dma-buf is still valid here.
 */
static void sluice_debugfs_show_name(struct seq_file *m, const struct sluice_buffer *buffer)
{
	/* pairs with the store in sluice_dmabuf_create(): the dma-buf is complete, or NULL */
	struct dma_buf *dmabuf = (struct dma_buf *)smp_load_acquire(&buffer->shown);

	seq_putc(m, '\t');
	if (!dmabuf)	/* not exported yet */
		return;
	spin_lock(&dmabuf->name_lock);
	if (dmabuf->name)
		seq_escape(m, dmabuf->name, "\t\n\\");
	spin_unlock(&dmabuf->name_lock);
}

/*
 * A reader of the list of buffers has a mark: a struct sluice_buffer of which only @cpu, @link and
 * @sdev, which is NULL, are used.  It is in the list of this CPU, in front of the buffer that comes
 * next.  The lock of a list is held for one buffer at a time, because ALLOC and close take it, too.
 * In between, the mark keeps the place.
 */

static struct sluice_buffer_list *sluice_debugfs_list(const struct sluice_buffer *mark)
{
	return per_cpu_ptr(&sluice_buffer_lists, mark->cpu);
}

static void sluice_debugfs_mark_list(struct sluice_buffer *mark, unsigned int cpu)
{
	struct sluice_buffer_list *list = per_cpu_ptr(&sluice_buffer_lists, cpu);

	mark->cpu = cpu;
	spin_lock(&list->lock);
	list_add(&mark->link, &list->buffers);
	spin_unlock(&list->lock);
}

static void sluice_debugfs_unmark(struct sluice_buffer *mark)
{
	struct sluice_buffer_list *list = sluice_debugfs_list(mark);

	spin_lock(&list->lock);
	list_del(&mark->link);
	spin_unlock(&list->lock);
}

/* Find the buffer behind the mark, and move the mark in front of it.  The lock is held. */
static struct sluice_buffer *sluice_debugfs_find(struct sluice_buffer *mark)
{
	struct sluice_buffer_list *list = sluice_debugfs_list(mark);
	struct sluice_buffer *buffer = mark;

	lockdep_assert_held(&list->lock);
	list_for_each_entry_continue(buffer, &list->buffers, link) {
		if (!buffer->sdev)	/* the mark of another reader */
			continue;
		list_move_tail(&mark->link, &buffer->link);
		return buffer;
	}
	return NULL;
}

/* Move the mark to the next list that has a buffer behind it.  Returns the mark, or NULL. */
static struct sluice_buffer *sluice_debugfs_next_list(struct sluice_buffer *mark)
{
	struct sluice_buffer *found;
	unsigned int cpu;

	for (;;) {
		spin_lock(&sluice_debugfs_list(mark)->lock);
		found = sluice_debugfs_find(mark);
		spin_unlock(&sluice_debugfs_list(mark)->lock);
		if (found)
			return mark;
		cpu = cpumask_next(mark->cpu, cpu_possible_mask);
		if (cpu >= nr_cpu_ids)
			return NULL;
		sluice_debugfs_unmark(mark);
		sluice_debugfs_mark_list(mark, cpu);
	}
}

static void *sluice_debugfs_buffers_start(struct seq_file *m, loff_t *pos)
{
	struct sluice_buffer *mark = m->private;

	if (!*pos) {
		sluice_debugfs_unmark(mark);
		sluice_debugfs_mark_list(mark, cpumask_first(cpu_possible_mask));
		return SEQ_START_TOKEN;
	}
	return sluice_debugfs_next_list(mark);
}

static void *sluice_debugfs_buffers_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return sluice_debugfs_next_list(m->private);
}

static void sluice_debugfs_buffers_stop(struct seq_file *m, void *v)
{
}

static void sluice_debugfs_show_buffer(struct seq_file *m, const struct sluice_buffer *buffer)
{
	seq_printf(m, "%s\t%s\t%llu\t%u\t%llu\t%u\t%d\t", buffer->sdev->name,
		   buffer->heap->name, buffer->size, buffer->num_pieces ?: 1,
		   READ_ONCE(buffer->inode),
		   from_kuid_munged(seq_user_ns(m), sluice_account_uid(&buffer->client->account)),
		   buffer->client->pid);
	seq_escape(m, buffer->client->comm, "\t\n\\");
	sluice_debugfs_show_name(m, buffer);
	seq_putc(m, '\n');
}

/* Show the buffer behind the mark.  If it has gone since it was found, nothing is shown. */
static int sluice_debugfs_buffers_show(struct seq_file *m, void *v)
{
	struct sluice_buffer *mark = m->private, *buffer;
	struct sluice_buffer_list *list = sluice_debugfs_list(mark);

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "device\theap\tsize\tpieces\tinode\tuid\tpid\tprocess\tname\n");
		return 0;
	}
	spin_lock(&list->lock);
	buffer = sluice_debugfs_find(mark);
	if (buffer) {
		sluice_debugfs_show_buffer(m, buffer);
		/* otherwise it is shown again, in more memory */
		if (!seq_has_overflowed(m))
			list_move(&mark->link, &buffer->link);
	}
	spin_unlock(&list->lock);
	return 0;
}

static const struct seq_operations sluice_debugfs_buffers_sops = {
	.start = sluice_debugfs_buffers_start,
	.next = sluice_debugfs_buffers_next,
	.stop = sluice_debugfs_buffers_stop,
	.show = sluice_debugfs_buffers_show,
};

static int sluice_debugfs_buffers_open(struct inode *inode, struct file *file)
{
	struct sluice_buffer *mark;

	mark = __seq_open_private(file, &sluice_debugfs_buffers_sops, sizeof(*mark));
	if (!mark)
		return -ENOMEM;
	sluice_debugfs_mark_list(mark, cpumask_first(cpu_possible_mask));
	return 0;
}

static int sluice_debugfs_buffers_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct sluice_buffer *mark = m->private;

	sluice_debugfs_unmark(mark);
	return seq_release_private(inode, file);
}

static const struct file_operations sluice_debugfs_buffers_fops = {
	.owner = THIS_MODULE,
	.open = sluice_debugfs_buffers_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = sluice_debugfs_buffers_release,
};

static int sluice_debugfs_pool_show(struct seq_file *m, void *data)
{
	seq_printf(m, "%llu\n", sluice_pool_bytes());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_debugfs_pool);

static int sluice_debugfs_engines_show(struct seq_file *m, void *data)
{
	struct sluice_device *sdev = m->private;
	unsigned int i;

	seq_puts(m, "engine\taborts\ttimeouts\tstale\tdepth\tin-flight\truns\tpoint\tage/ms\ttimeout/ms\n");
	for (i = 0; i < sdev->num_engines; i++) {
		struct sluice_engine *engine = &sdev->engines[i];
		const struct sluice_flight *oldest;

		spin_lock_irq(&engine->lock);
		oldest = list_first_entry_or_null(&engine->in_flight, struct sluice_flight, link);
		seq_printf(m, "%u\t%u\t%u\t%u\t%u\t%zu", i, engine->aborts, engine->timeouts,
			   engine->stale, engine->caps.depth, list_count_nodes(&engine->in_flight));
		if (oldest) {
			const struct sluice_sched_job *job = oldest->job;
			unsigned long timeout = job->entity->timeout, runs = 0;

			if (job->timed)
				runs = jiffies + timeout - job->deadline;
			seq_printf(m, "\t%s\t%llu\t%u\t%u", job->entity->timeline->name,
				   job->point, jiffies_to_msecs(runs), jiffies_to_msecs(timeout));
		}
		spin_unlock_irq(&engine->lock);
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_debugfs_engines);

static const char *sluice_debugfs_job_state(const struct sluice_sched_job *job)
{
	lockdep_assert_held(&job->entity->engine->lock);
	if (job->in_flight || sluice_sched_job_has_begun(job))
		return "running";
	if (job->entity->dead || job->cancelled)
		return "cancelled";
	if (atomic_read(&job->waiting))
		return "waiting for fences";
	return "waiting for the engine";
}

static int sluice_debugfs_queues_show(struct seq_file *m, void *data)
{
	struct sluice_device *sdev = m->private;
	struct sluice_queue *queue;

	seq_puts(m, "timeline\tengine\tpriority\tsubmitted\tended\tin-flight\tdepth\tstate\n");
	mutex_lock(&sdev->lock);
	list_for_each_entry(queue, &sdev->queues, link) {
		struct sluice_engine *engine = queue->entity.engine;
		const char *state = "idle";
		struct sluice_sched_job *job;

		spin_lock_irq(&queue->lock);
		spin_lock(&engine->lock);
		job = sluice_entity_first(&queue->entity);
		if (queue->entity.dead)
			state = "dead";
		else if (job)
			state = sluice_debugfs_job_state(job);
		spin_unlock(&engine->lock);
		seq_printf(m, "%s\t%u\t%u\t%llu\t%llu\t%u\t%u\t%s\n", queue->timeline.name,
			   engine->index, queue->entity.priority, queue->submitted, queue->done,
			   sluice_queue_in_flight(queue), queue->depth, state);
		spin_unlock_irq(&queue->lock);
	}
	mutex_unlock(&sdev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_debugfs_queues);

/* The fences that a job still waits for, with the names of their drivers and timelines. */
static void sluice_debugfs_show_deps(struct seq_file *m, const struct sluice_sched_job *job)
{
	unsigned int i, count = min(job->num_deps, SLUICE_DEBUGFS_FENCES);

	rcu_read_lock();
	for (i = 0; i < count; i++) {
		struct dma_fence *fence = job->deps[i].fence;

		if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
			seq_printf(m, "\t%s:%s:%llu%s", sluice_compat_fence_driver(fence),
				   sluice_compat_fence_timeline(fence), (u64)fence->seqno,
				   job->deps[i].explicit ? "" : " (implicit)");
	}
	rcu_read_unlock();
	if (count < job->num_deps)
		seq_puts(m, "\t...");
}

static int sluice_debugfs_jobs_show(struct seq_file *m, void *data)
{
	struct sluice_device *sdev = m->private;
	struct sluice_queue *queue;

	seq_puts(m, "timeline\tpoint\tops\tage/ms\tstate\tfences\n");
	mutex_lock(&sdev->lock);
	list_for_each_entry(queue, &sdev->queues, link) {
		unsigned int shown = 0;
		struct sluice_sched_job *job;

		spin_lock_irq(&queue->entity.engine->lock);
		list_for_each_entry(job, &queue->entity.jobs, link) {
			if (++shown > SLUICE_DEBUGFS_JOBS)
				break;
			seq_printf(m, "%s\t%llu\t%u\t%u\t%s", queue->timeline.name, job->point,
				   job->num_ops, jiffies_to_msecs(jiffies - job->submitted),
				   sluice_debugfs_job_state(job));
			sluice_debugfs_show_deps(m, job);
			seq_putc(m, '\n');
		}
		spin_unlock_irq(&queue->entity.engine->lock);
	}
	mutex_unlock(&sdev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sluice_debugfs_jobs);

/**
 * sluice_debugfs_add_device - create the directory of a device
 * @sdev: the device, which is being registered
 *
 * Context: may sleep.
 */
void sluice_debugfs_add_device(struct sluice_device *sdev)
{
	sdev->debugfs = debugfs_create_dir(sdev->name, sluice_debugfs_root);
	debugfs_create_file("engines", 0400, sdev->debugfs, sdev, &sluice_debugfs_engines_fops);
	debugfs_create_file("queues", 0400, sdev->debugfs, sdev, &sluice_debugfs_queues_fops);
	debugfs_create_file("jobs", 0400, sdev->debugfs, sdev, &sluice_debugfs_jobs_fops);
}

/**
 * sluice_debugfs_remove_device - remove the directory of a device
 * @sdev: the device; no context reads its files any more on return
 *
 * Context: may sleep.
 */
void sluice_debugfs_remove_device(struct sluice_device *sdev)
{
	debugfs_remove_recursive(sdev->debugfs);
}

/**
 * sluice_device_debugfs - the debugfs directory of a device, for files of its driver
 * @sdev: the device, after sluice_device_register() has returned
 *
 * sluice_device_unregister() removes the files in it.  On its return no context reads them any
 * more.
 *
 * Context: any.
 * Return: the directory, or an ERR_PTR, which the debugfs functions accept.
 */
struct dentry *sluice_device_debugfs(struct sluice_device *sdev)
{
	return sdev->debugfs;
}
EXPORT_SYMBOL_GPL(sluice_device_debugfs);

void sluice_debugfs_init(void)
{
	sluice_debugfs_root = debugfs_create_dir("sluice", NULL);
	debugfs_create_file("objects", 0400, sluice_debugfs_root, NULL,
			    &sluice_debugfs_objects_fops);
	debugfs_create_file("buffers", 0400, sluice_debugfs_root, NULL,
			    &sluice_debugfs_buffers_fops);
	debugfs_create_file("pool", 0400, sluice_debugfs_root, NULL, &sluice_debugfs_pool_fops);
#ifdef SLUICE_COVERAGE	/* builds for tests: see selftests/kernel/coverage.h */
	sluice_coverage_init(sluice_debugfs_root);
#endif
}

void sluice_debugfs_exit(void)
{
	debugfs_remove_recursive(sluice_debugfs_root);
}
