// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounts: see account.h.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <uapi/linux/sluice.h>

#include "account.h"

static unsigned long sluice_account_open_mb;
module_param_named(open_limit_mb, sluice_account_open_mb, ulong, 0644);
MODULE_PARM_DESC(open_limit_mb,
		 "MiB that one open of a node may hold in live buffers (0: half of the memory)");

static unsigned long sluice_account_user_mb;
module_param_named(user_limit_mb, sluice_account_user_mb, ulong, 0644);
MODULE_PARM_DESC(user_limit_mb,
		 "MiB that the opens of one user may hold together, CAP_SYS_RESOURCE excepted (0: three quarters of total_limit_mb)");

static unsigned long sluice_account_total_mb;
module_param_named(total_limit_mb, sluice_account_total_mb, ulong, 0644);
MODULE_PARM_DESC(total_limit_mb,
		 "MiB that all opens of all devices may hold together (0: half of the memory)");

/**
 * struct sluice_account_user - a user with open files of nodes
 * @link: in sluice_account_users
 * @uid: real uid of the user
 * @opens: number of accounts of the user
 * @bytes: sum of the charges of these accounts, without memory of devices
 */
struct sluice_account_user {
	struct hlist_node link;
	kuid_t uid;
	unsigned int opens;
	u64 bytes;
};

/* Guards the variables below, each struct sluice_account_user, and the bytes of each account. */
static DEFINE_SPINLOCK(sluice_account_lock);
static DEFINE_HASHTABLE(sluice_account_users, 10);
static u64 sluice_account_total;

static u64 sluice_account_limit(unsigned long mb, u64 otherwise)
{
	mb = READ_ONCE(mb);
	return mb ? (u64)mb << 20 : otherwise;
}

static u64 sluice_account_half_of_memory(void)
{
	return (u64)totalram_pages() << (PAGE_SHIFT - 1);
}

u64 sluice_account_open_limit(void)
{
	return sluice_account_limit(sluice_account_open_mb, sluice_account_half_of_memory());
}

static u64 sluice_account_total_limit(void)
{
	return sluice_account_limit(sluice_account_total_mb, sluice_account_half_of_memory());
}

/* By default a quarter of the total is left for other users. */
static u64 sluice_account_user_limit(void)
{
	u64 total = sluice_account_total_limit();

	return sluice_account_limit(sluice_account_user_mb, total - total / 4);
}

static struct sluice_account_user *sluice_account_find_user(kuid_t uid)
{
	struct sluice_account_user *user;

	lockdep_assert_held(&sluice_account_lock);
	hash_for_each_possible(sluice_account_users, user, link, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * sluice_account_open - connect an account with its user
 * @account: the account of a file that is being opened, zeroed
 *
 * The user is the real uid of the current task.  After success, the caller must call
 * sluice_account_close() when the account ends.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int sluice_account_open(struct sluice_account *account)
{
	struct sluice_account_user *user, *spare;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return -ENOMEM;
	spare->uid = current_uid();
	spin_lock(&sluice_account_lock);
	user = sluice_account_find_user(spare->uid);
	if (!user) {
		user = spare;
		spare = NULL;
		hash_add(sluice_account_users, &user->link, __kuid_val(user->uid));
	}
	user->opens++;
	account->user = user;
	spin_unlock(&sluice_account_lock);
	kfree(spare);
	return 0;
}

/**
 * sluice_account_close - disconnect an account from its user
 * @account: an account that is being freed; all of its charges have been subtracted
 *
 * Context: may sleep.
 */
void sluice_account_close(struct sluice_account *account)
{
	struct sluice_account_user *user = account->user;

	WARN_ON_ONCE(account->bytes);
	spin_lock(&sluice_account_lock);
	if (--user->opens)
		user = NULL;
	else
		hash_del(&user->link);
	spin_unlock(&sluice_account_lock);
	kfree(user);
}

/* The SLUICE_HINT_* of the first limit that @bytes more would exceed, or SLUICE_HINT_NONE. */
static u32 sluice_account_over(const struct sluice_account *account, u64 bytes, bool device,
			       bool any_user)
{
	const struct {
		u64 used, limit;
		u32 hint;
		bool counts;
	} bounds[] = {
		{ account->bytes, sluice_account_open_limit(), SLUICE_HINT_LIMIT, true },
		{ device ? 0 : account->user->bytes, sluice_account_user_limit(),
		  SLUICE_HINT_USER_LIMIT, !device && !any_user },
		{ sluice_account_total, sluice_account_total_limit(),
		  SLUICE_HINT_TOTAL_LIMIT, !device },
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

static u32 sluice_account_try(struct sluice_account *account, u64 bytes, bool device, bool any_user)
{
	u32 hint;

	spin_lock(&sluice_account_lock);
	hint = sluice_account_over(account, bytes, device, any_user);
	if (!hint) {
		account->bytes += bytes;
		if (!device) {
			account->user->bytes += bytes;
			sluice_account_total += bytes;
		}
	}
	spin_unlock(&sluice_account_lock);
	return hint;
}

/**
 * sluice_account_charge - charge memory that is about to be allocated
 * @account: the account that is charged
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
int sluice_account_charge(struct sluice_account *account, u64 bytes, bool device, u32 *hint)
{
	u32 over = sluice_account_try(account, bytes, device, false);

	if (over == SLUICE_HINT_USER_LIMIT &&
	    ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		over = sluice_account_try(account, bytes, device, true);
	if (!over)
		return 0;
	*hint = over;
	return -EDQUOT;
}

/**
 * sluice_account_uncharge - subtract a charge, because the memory has been freed
 * @account: the account that was charged
 * @bytes: bytes of the charge
 * @device: as for sluice_account_charge()
 *
 * Context: may sleep.
 */
void sluice_account_uncharge(struct sluice_account *account, u64 bytes, bool device)
{
	spin_lock(&sluice_account_lock);
	account->bytes -= bytes;
	if (!device) {
		account->user->bytes -= bytes;
		sluice_account_total -= bytes;
	}
	spin_unlock(&sluice_account_lock);
}

/**
 * sluice_account_read - read the counters of an account, all at one moment, and their limits
 * @account: the account
 *
 * Context: may sleep.
 * Return: the counters and the limits.
 */
struct sluice_account_numbers sluice_account_read(const struct sluice_account *account)
{
	struct sluice_account_numbers numbers = {
		.open_limit = sluice_account_open_limit(),
		.user_limit = sluice_account_user_limit(),
		.total_limit = sluice_account_total_limit(),
	};

	spin_lock(&sluice_account_lock);
	numbers.open_bytes = account->bytes;
	numbers.user_bytes = account->user->bytes;
	numbers.total_bytes = sluice_account_total;
	spin_unlock(&sluice_account_lock);
	return numbers;
}

/**
 * sluice_account_uid - the user of an account
 * @account: the account
 *
 * Context: any.
 * Return: the real uid of the task that opened the node.
 */
kuid_t sluice_account_uid(const struct sluice_account *account)
{
	return account->user->uid;
}
