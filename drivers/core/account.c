// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account: how much memory live buffers may hold.
 *
 * The kernel's OOM killer does not see a buffer: its memory belongs to no process.
 * So memory is bounded before it is allocated, three times over:
 *
 *	one open	sluice_client.bytes, module parameter open_limit_mb
 *	one user	sluice_user.bytes, user_limit_mb: all opens that the user made
 *	the machine	sluice_total_bytes, total_limit_mb: all opens of all devices
 *
 * A buffer is charged to the open that allocated it, and to the user who made that
 * open, until the buffer is freed.  A device's own memory (SLUICE_MEM_DEVICE) is not
 * the machine's, and counts for the open alone.
 *
 * One lock guards all counters: a charge is refused only because of what others hold,
 * never because of a charge that is refused, too.
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
 * struct sluice_user - a user with an open node
 * @link: in sluice_users
 * @uid: the user
 * @opens: clients that have it
 * @bytes: in live buffers of all of them
 */
struct sluice_user {
	struct hlist_node link;
	kuid_t uid;
	unsigned int opens;
	u64 bytes;
};

/* Guards all below, struct sluice_user, and sluice_client.bytes. */
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

/* Some is left for others. */
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
 * sluice_account_open - find the user that an open belongs to
 * @client: being made
 *
 * The current user, by its real uid.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; after 0, sluice_account_close() must follow.
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
 * sluice_account_close - an open and all of its buffers are gone
 * @client: without charge
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

/* Would @bytes more go over a limit?  SLUICE_HINT_* of the first that says so. */
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
 * sluice_account_charge - count memory that is about to be allocated
 * @client: the open that pays
 * @bytes: how much
 * @device: it is a device's own memory
 * @hint: SLUICE_HINT_*LIMIT, set on failure
 *
 * All of the counters or none of them: there is nothing to give back after a failure.
 *
 * Context: may sleep.
 * Return: 0 or -EDQUOT.
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
 * sluice_account_uncharge - the memory is free again
 * @client: as it was charged
 * @bytes: likewise
 * @device: likewise
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
 * sluice_account_read - the counters of an open and their limits, all of one moment
 * @client: the open
 *
 * Context: may sleep.
 * Return: the reading.
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
 * sluice_account_uid - the user that an open belongs to
 * @client: the open
 *
 * Context: any.
 * Return: the real uid of the task that opened the node.
 */
kuid_t sluice_account_uid(const struct sluice_client *client)
{
	return client->user->uid;
}
