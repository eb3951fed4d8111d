// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounts: see account.h.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
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

static unsigned long sluice_account_reserve_mb = ULONG_MAX;
module_param_named(reserve_mb, sluice_account_reserve_mb, ulong, 0644);
MODULE_PARM_DESC(reserve_mb,
		 "MiB that new buffers leave to processes (0: none; default: 1/16 of the memory, at most 256)");

/**
 * struct sluice_account_user - a user with open files of nodes
 * @link: in sluice_account_users
 * @uid: real uid of the user
 * @opens: number of accounts of the user
 * @bytes: sum of the charges of these accounts, without memory of devices; and of the stocks
 */
struct sluice_account_user {
	struct hlist_node link;
	kuid_t uid;
	unsigned int opens;
	u64 bytes;
};

/**
 * struct sluice_account_stock - bytes that a CPU has charged in advance
 * @lock: guards the fields; sluice_account_lock nests inside
 * @user: the user to whom they are charged; NULL if @bytes is 0.  It has open files, because the
 *	last sluice_account_close() of a user takes the stocks back
 * @bytes: the bytes: a part of @user->bytes and of sluice_account_total
 */
struct sluice_account_stock {
	spinlock_t lock;
	struct sluice_account_user *user;
	u64 bytes;
};

#define SLUICE_ACCOUNT_BATCH	SZ_1M	/* a CPU charges as much in advance, and keeps twice that */
#define SLUICE_ACCOUNT_SMALL	SZ_256K	/* larger charges do not use the stock */

static DEFINE_PER_CPU(struct sluice_account_stock, sluice_account_stocks);

#define SLUICE_ACCOUNT_UNSEEN	SZ_1M	/* a CPU may allocate as much between two looks */
#define SLUICE_ACCOUNT_RESERVE	SZ_256M	/* the default reserve is not larger */

/* Bytes that a CPU has allocated since it last looked how much memory is available. */
static DEFINE_PER_CPU(unsigned int, sluice_account_unseen);

/* Guards the variables below, and each struct sluice_account_user. */
static DEFINE_SPINLOCK(sluice_account_lock);
static DEFINE_HASHTABLE(sluice_account_users, 10);
static u64 sluice_account_total;
static unsigned int sluice_account_tight;	/* charges that need the stocks of all CPUs */

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
static u64 sluice_account_user_limit(u64 total)
{
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

/* Take back what a CPU has charged in advance.  The lock of the stock is held. */
static void sluice_account_return(struct sluice_account_stock *stock)
{
	lockdep_assert_held(&stock->lock);
	if (!stock->bytes)
		return;
	spin_lock(&sluice_account_lock);
	stock->user->bytes -= stock->bytes;
	sluice_account_total -= stock->bytes;
	spin_unlock(&sluice_account_lock);
	stock->bytes = 0;
	stock->user = NULL;
}

/*
 * Take back what all CPUs have charged in advance, for @user or, if it is NULL, for all users.  The
 * sums are exact then, until a CPU fills its stock again.
 */
static void sluice_account_return_all(const struct sluice_account_user *user)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct sluice_account_stock *stock = per_cpu_ptr(&sluice_account_stocks, cpu);

		/* any value that was there a moment ago is correct */
		if (!data_race(READ_ONCE(stock->bytes)))
			continue;
		spin_lock(&stock->lock);
		if (!user || stock->user == user)
			sluice_account_return(stock);
		spin_unlock(&stock->lock);
	}
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

	WARN_ON_ONCE(atomic64_read(&account->bytes));
	/* while the user has opens, another CPU may fill its stock for one of them */
	spin_lock(&sluice_account_lock);
	if (--user->opens)
		user = NULL;
	else
		hash_del(&user->link);
	spin_unlock(&sluice_account_lock);
	if (user)
		sluice_account_return_all(user);
	kfree(user);
}

static bool sluice_account_fits(u64 used, u64 bytes, u64 limit)
{
	return used <= limit && bytes <= limit - used;
}

/* Charge the account itself.  Returns whether its limit allows it. */
static bool sluice_account_add(struct sluice_account *account, u64 bytes, u64 limit)
{
	s64 used = atomic64_read(&account->bytes);

	do {
		if (!sluice_account_fits(used, bytes, limit))
			return false;
	} while (!atomic64_try_cmpxchg(&account->bytes, &used, used + bytes));
	return true;
}

/*
 * Charge a user and the total.  Returns SLUICE_HINT_NONE, or the limit that does not allow it.  The
 * lock is held.
 */
static u32 sluice_account_add_locked(struct sluice_account_user *user, u64 bytes, bool any_user)
{
	u64 limit = sluice_account_total_limit();

	lockdep_assert_held(&sluice_account_lock);
	if (!any_user && !sluice_account_fits(user->bytes, bytes, sluice_account_user_limit(limit)))
		return SLUICE_HINT_USER_LIMIT;
	if (!sluice_account_fits(sluice_account_total, bytes, limit))
		return SLUICE_HINT_TOTAL_LIMIT;
	user->bytes += bytes;
	sluice_account_total += bytes;
	return SLUICE_HINT_NONE;
}

static u32 sluice_account_add_sums(struct sluice_account_user *user, u64 bytes, bool any_user)
{
	u32 hint;

	spin_lock(&sluice_account_lock);
	hint = sluice_account_add_locked(user, bytes, any_user);
	spin_unlock(&sluice_account_lock);
	return hint;
}

/*
 * The same near a limit: take all stocks back first.  No CPU charges in advance meanwhile, so the
 * charge fails only if the limit does not allow it without the stocks.
 */
static u32 sluice_account_add_tight(struct sluice_account_user *user, u64 bytes, bool any_user)
{
	u32 hint;

	spin_lock(&sluice_account_lock);
	sluice_account_tight++;
	spin_unlock(&sluice_account_lock);
	sluice_account_return_all(NULL);
	spin_lock(&sluice_account_lock);
	sluice_account_tight--;
	hint = sluice_account_add_locked(user, bytes, any_user);
	spin_unlock(&sluice_account_lock);
	return hint;
}

/* Charge @bytes, and SLUICE_ACCOUNT_BATCH in advance.  Returns false if nothing was charged. */
static bool sluice_account_add_advance(struct sluice_account_user *user, u64 bytes)
{
	bool added;

	spin_lock(&sluice_account_lock);
	added = !sluice_account_tight &&
		!sluice_account_add_locked(user, bytes + SLUICE_ACCOUNT_BATCH, false);
	spin_unlock(&sluice_account_lock);
	return added;
}

/*
 * Charge from the stock of this CPU.  Returns false if it has too little for the user, or if a
 * limit has been lowered below what is charged already.
 */
static bool sluice_account_consume(struct sluice_account_user *user, u64 bytes)
{
	struct sluice_account_stock *stock = raw_cpu_ptr(&sluice_account_stocks);
	u64 limit = sluice_account_total_limit();
	bool enough;

	/* any value that was there a moment ago is correct */
	if (data_race(READ_ONCE(user->bytes)) > sluice_account_user_limit(limit) ||
	    /* the same */
	    data_race(READ_ONCE(sluice_account_total)) > limit)
		return false;
	/* the lock is the CPU's own, but the task may move to another CPU before it is taken */
	spin_lock(&stock->lock);
	enough = stock->user == user && stock->bytes >= bytes;
	if (enough)
		stock->bytes -= bytes;
	spin_unlock(&stock->lock);
	return enough;
}

/* Put bytes, which are charged to the user, into a stock.  The lock of the stock is held. */
static void sluice_account_put(struct sluice_account_stock *stock,
			       struct sluice_account_user *user, u64 bytes)
{
	lockdep_assert_held(&stock->lock);
	if (stock->user != user)
		sluice_account_return(stock);
	stock->user = user;
	stock->bytes += bytes;
	if (stock->bytes > 2 * SLUICE_ACCOUNT_BATCH)
		sluice_account_return(stock);
}

/* Put bytes, which are charged to the user, into the stock of this CPU. */
static void sluice_account_refill(struct sluice_account_user *user, u64 bytes)
{
	struct sluice_account_stock *stock = raw_cpu_ptr(&sluice_account_stocks);

	spin_lock(&stock->lock);
	sluice_account_put(stock, user, bytes);
	spin_unlock(&stock->lock);
}

/*
 * Charge @bytes, and fill the stock of this CPU.  Returns false if nothing was charged.  Both steps
 * are in one hold of the stock's lock, so that sluice_account_return_all() finds the bytes.
 */
static bool sluice_account_fill(struct sluice_account_user *user, u64 bytes)
{
	struct sluice_account_stock *stock = raw_cpu_ptr(&sluice_account_stocks);
	bool added;

	spin_lock(&stock->lock);
	added = sluice_account_add_advance(user, bytes);
	if (added)
		sluice_account_put(stock, user, SLUICE_ACCOUNT_BATCH);
	spin_unlock(&stock->lock);
	return added;
}

/* Charge a user and the total, through the stock if the bytes are few. */
static u32 sluice_account_try(struct sluice_account_user *user, u64 bytes)
{
	u32 hint;

	if (bytes <= SLUICE_ACCOUNT_SMALL &&
	    (sluice_account_consume(user, bytes) || sluice_account_fill(user, bytes)))
		return SLUICE_HINT_NONE;
	if (!sluice_account_add_sums(user, bytes, false))
		return SLUICE_HINT_NONE;
	hint = sluice_account_add_tight(user, bytes, false);
	if (hint == SLUICE_HINT_USER_LIMIT && ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		hint = sluice_account_add_tight(user, bytes, true);
	return hint;
}

/* Subtract a charge of a user and the total. */
static void sluice_account_sub_sums(struct sluice_account_user *user, u64 bytes)
{
	if (bytes <= SLUICE_ACCOUNT_SMALL) {
		sluice_account_refill(user, bytes);
		return;
	}
	spin_lock(&sluice_account_lock);
	user->bytes -= bytes;
	sluice_account_total -= bytes;
	spin_unlock(&sluice_account_lock);
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
	u64 limit = sluice_account_open_limit();
	u32 over = SLUICE_HINT_LIMIT;

	/* a first look, so that a charge that the account refuses is not part of the other sums */
	if (!sluice_account_fits(atomic64_read(&account->bytes), bytes, limit))
		goto refuse;
	if (!device) {
		over = sluice_account_try(account->user, bytes);
		if (over)
			goto refuse;
	}
	if (sluice_account_add(account, bytes, limit))
		return 0;
	/* another charge to the account came first */
	over = SLUICE_HINT_LIMIT;
	if (!device)
		sluice_account_sub_sums(account->user, bytes);
refuse:
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
	if (!device)
		sluice_account_sub_sums(account->user, bytes);
	atomic64_sub(bytes, &account->bytes);
}

static u64 sluice_account_reserve(void)
{
	unsigned long mb = READ_ONCE(sluice_account_reserve_mb);

	if (mb == ULONG_MAX)
		return min_t(u64, (u64)totalram_pages() << PAGE_SHIFT >> 4, SLUICE_ACCOUNT_RESERVE);
	return (u64)mb << 20;
}

/**
 * sluice_account_has_room - is there memory for a new buffer, and enough for processes beside it?
 * @bytes: bytes that are about to be allocated from the memory of the system
 * @parked: tells the bytes of the pool, which gives them back if memory is short
 *
 * The limits alone do not tell, because processes and other drivers may use most of the memory.  If
 * buffers took the rest, the next page fault of any process would call the OOM killer, which does
 * not see buffers.
 *
 * Callers at the same time may all get the rest of the memory.  A CPU does not look each time, and
 * allocates up to SLUICE_ACCOUNT_UNSEEN between two looks.
 *
 * Context: any.
 * Return: true if the memory may be allocated.
 */
bool sluice_account_has_room(u64 bytes, u64 (*parked)(void))
{
	u64 reserve, room;
	bool fits;

	if (bytes < SLUICE_ACCOUNT_UNSEEN &&
	    this_cpu_add_return(sluice_account_unseen, bytes) < SLUICE_ACCOUNT_UNSEEN)
		return true;
	reserve = sluice_account_reserve();
	/* memory of processes may be swapped out */
	room = (u64)(si_mem_available() + get_nr_swap_pages()) << PAGE_SHIFT;
	fits = !reserve || sluice_account_fits(reserve, bytes, room + parked());
	/* after a refusal, the CPU looks again the next time */
	this_cpu_write(sluice_account_unseen, fits ? 0 : SLUICE_ACCOUNT_UNSEEN);
	return fits;
}

/**
 * sluice_account_read - read the counters of an account, and their limits
 * @account: the account
 *
 * The sums are exact if no other context charges meanwhile.  Otherwise they may contain what CPUs
 * have charged in advance: at most twice SLUICE_ACCOUNT_BATCH for each CPU.
 *
 * Context: may sleep.
 * Return: the counters and the limits.
 */
struct sluice_account_numbers sluice_account_read(const struct sluice_account *account)
{
	struct sluice_account_numbers numbers = {
		.open_limit = sluice_account_open_limit(),
		.user_limit = sluice_account_user_limit(sluice_account_total_limit()),
		.total_limit = sluice_account_total_limit(),
	};

	sluice_account_return_all(NULL);
	spin_lock(&sluice_account_lock);
	numbers.open_bytes = atomic64_read(&account->bytes);
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

/**
 * sluice_account_init - initialise the stocks
 *
 * Context: module init.
 */
void sluice_account_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&sluice_account_stocks, cpu)->lock);
}
