// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account: how much memory buffers may have.
 *
 * The OOM killer does not see the memory of buffers, because it belongs to no process.  Memory is
 * therefore charged before it is allocated, against three limits:
 *
 *	open file	client->bytes, module parameter open_limit_mb: one open file of a node
 *	user		user->bytes, user_limit_mb: all open files of one user
 *	total		sluice_total_bytes, total_limit_mb: all open files of all devices
 *
 * A buffer is charged to the open file (struct sluice_client) that allocated it, and to the user
 * who opened that file, until the buffer is freed.  Memory of a device (SLUICE_MEM_DEVICE) is not
 * memory of the system, and counts against the limit of the open file only.
 *
 * sluice_account_lock guards all counters.  A charge adds to all counters or to none with the lock
 * held, so a refused charge is never part of a sum.  buffer.c and slot.c charge; node.c opens and
 * closes accounts.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "core.h"

static unsigned long open_limit_mb;
module_param(open_limit_mb, ulong, 0644);
MODULE_PARM_DESC(open_limit_mb,
		 "MiB that one open of a node may hold in live buffers (0: half of the memory)");

static unsigned long user_limit_mb;
module_param(user_limit_mb, ulong, 0644);
MODULE_PARM_DESC(user_limit_mb,
		 "MiB that the opens of one user may hold together, CAP_SYS_RESOURCE excepted (0: three quarters of total_limit_mb)");

static unsigned long total_limit_mb;
module_param(total_limit_mb, ulong, 0644);
MODULE_PARM_DESC(total_limit_mb,
		 "MiB that all opens of all devices may hold together (0: half of the memory)");

/**
 * struct sluice_user - a user with open files of nodes
 * @link: in sluice_users
 * @uid: real uid of the user
 * @opens: number of clients of the user
 * @bytes: bytes in live buffers of these clients
 */
struct sluice_user {
	struct hlist_node link;
	kuid_t uid;
	unsigned int opens;
	u64 bytes;
};

/* Guards the variables below, each struct sluice_user, and the bytes of each client. */
static DEFINE_SPINLOCK(sluice_account_lock);
static DEFINE_HASHTABLE(sluice_users, 10);
static u64 sluice_total_bytes;

static u64 sluice_limit(unsigned long mb, u64 otherwise)
{
	mb = READ_ONCE(mb);
	return mb ? (u64)mb << 20 : otherwise;
}

static u64 sluice_half_of_memory(void)
{
	return (u64)totalram_pages() << (PAGE_SHIFT - 1);
}

u64 sluice_open_limit(void)
{
	return sluice_limit(open_limit_mb, sluice_half_of_memory());
}

static u64 sluice_total_limit(void)
{
	return sluice_limit(total_limit_mb, sluice_half_of_memory());
}

/* By default a quarter of the total is left for other users. */
static u64 sluice_user_limit(void)
{
	u64 total = sluice_total_limit();

	return sluice_limit(user_limit_mb, total - total / 4);
}

static struct sluice_user *sluice_user_find(kuid_t uid)
{
	struct sluice_user *user;

	lockdep_assert_held(&sluice_account_lock);
	hash_for_each_possible(sluice_users, user, link, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * sluice_account_open - connect a client with its user
 * @client: a client that is being made
 *
 * The user is the real uid of the current task.  After success, the caller must call
 * sluice_account_close() when the client ends.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_account_open(struct sluice_client *client)
{
	struct sluice_user *user, *spare;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	spare->uid = current_uid();
	spin_lock(&sluice_account_lock);
	user = sluice_user_find(spare->uid);
	if (!user) {
		user = spare;
		spare = NULL;
		hash_add(sluice_users, &user->link, __kuid_val(user->uid));
	}
	user->opens++;
	client->user = user;
	spin_unlock(&sluice_account_lock);
	kfree(spare);
	return 0;
}

/**
 * sluice_account_close - disconnect a client from its user
 * @client: a client that is being freed; all of its charges have been subtracted
 *
 * Context: may sleep.
 */
void sluice_account_close(struct sluice_client *client)
{
	struct sluice_user *user = client->user;

	WARN_ON_ONCE(client->bytes);
	spin_lock(&sluice_account_lock);
	if (--user->opens)
		user = NULL;
	else
		hash_del(&user->link);
	spin_unlock(&sluice_account_lock);
	kfree(user);
}

/* The SLUICE_HINT_* of the first limit that @bytes more would exceed, or SLUICE_HINT_NONE. */
static u32 sluice_account_over(const struct sluice_client *client, u64 bytes, bool device,
			       bool any_user)
{
	const struct {
		u64 used, limit;
		u32 hint;
		bool counts;
	} bounds[] = {
		{ client->bytes, sluice_open_limit(), SLUICE_HINT_LIMIT, true },
		{ device ? 0 : client->user->bytes, sluice_user_limit(), SLUICE_HINT_USER_LIMIT,
		  !device && !any_user },
		{ sluice_total_bytes, sluice_total_limit(), SLUICE_HINT_TOTAL_LIMIT, !device },
	};
	unsigned int i;

	lockdep_assert_held(&sluice_account_lock);
	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		if (bounds[i].counts &&
		    (bounds[i].used > bounds[i].limit ||
		     bytes > bounds[i].limit - bounds[i].used))
			return bounds[i].hint;
	return SLUICE_HINT_NONE;
}

static u32 sluice_account_try(struct sluice_client *client, u64 bytes, bool device, bool any_user)
{
	u32 hint;

	spin_lock(&sluice_account_lock);
	hint = sluice_account_over(client, bytes, device, any_user);
	if (!hint) {
		client->bytes += bytes;
		if (!device) {
			client->user->bytes += bytes;
			sluice_total_bytes += bytes;
		}
	}
	spin_unlock(&sluice_account_lock);
	return hint;
}

/**
 * sluice_account_charge - charge memory that is about to be allocated
 * @client: the client that is charged
 * @bytes: bytes of the memory
 * @device: true if only the limit of the open file applies, as for memory of a device
 * @hint: SLUICE_HINT_LIMIT, _USER_LIMIT or _TOTAL_LIMIT, set on failure
 *
 * After a failure no counter has changed.  The limit of the user does not apply to a task with
 * CAP_SYS_RESOURCE.
 *
 * Context: may sleep.
 * Return: 0, or -EDQUOT if a limit would be exceeded.
 */
int sluice_account_charge(struct sluice_client *client, u64 bytes, bool device, u32 *hint)
{
	u32 over = sluice_account_try(client, bytes, device, false);

	if (over == SLUICE_HINT_USER_LIMIT &&
	    ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		over = sluice_account_try(client, bytes, device, true);
	if (!over)
		return 0;
	*hint = over;
	return -EDQUOT;
}

/**
 * sluice_account_uncharge - subtract a charge, because the memory has been freed
 * @client: the client that was charged
 * @bytes: bytes of the charge
 * @device: as for sluice_account_charge()
 *
 * Context: may sleep.
 */
void sluice_account_uncharge(struct sluice_client *client, u64 bytes, bool device)
{
	spin_lock(&sluice_account_lock);
	client->bytes -= bytes;
	if (!device) {
		client->user->bytes -= bytes;
		sluice_total_bytes -= bytes;
	}
	spin_unlock(&sluice_account_lock);
}

/**
 * sluice_account_read - read the counters of a client, all at one moment, and their limits
 * @client: the client
 *
 * Context: may sleep.
 * Return: the counters and the limits.
 */
struct sluice_account sluice_account_read(const struct sluice_client *client)
{
	struct sluice_account account = {
		.open_limit = sluice_open_limit(),
		.user_limit = sluice_user_limit(),
		.total_limit = sluice_total_limit(),
	};

	spin_lock(&sluice_account_lock);
	account.open_bytes = client->bytes;
	account.user_bytes = client->user->bytes;
	account.total_bytes = sluice_total_bytes;
	spin_unlock(&sluice_account_lock);
	return account;
}

/**
 * sluice_account_uid - the user of a client
 * @client: the client
 *
 * Context: any.
 * Return: the real uid of the task that opened the node.
 */
kuid_t sluice_account_uid(const struct sluice_client *client)
{
	return client->user->uid;
}
