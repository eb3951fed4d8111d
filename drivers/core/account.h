/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accounts: how much memory the buffers of an open file may have.
 *
 * The OOM killer does not see the memory of buffers, because it belongs to no process.  Memory is
 * therefore charged before it is allocated, against three limits:
 *
 *	open file	account->bytes, module parameter open_limit_mb: one open file of a node
 *	user		user->bytes, user_limit_mb: all open files of one user
 *	total		sluice_account_total, total_limit_mb: all open files of all devices
 *
 * The completion ring of a queue is charged as a buffer is.
 *
 * A buffer is charged to the account of the open file that allocated it, and to the user who opened
 * that file, until the buffer is freed.  Memory of a device (SLUICE_MEM_DEVICE) is not memory of
 * the system, and counts against the limit of the open file only.
 *
 * Beside the limits, a new buffer leaves memory to processes: reserve_mb.  A heap calls
 * sluice_account_has_room() before it allocates memory of the system.
 *
 * A refused charge is part of no sum, except for a moment if two charges to one account race for
 * the rest of its limit.  buffer.c, slot.c and queue.c charge; client.c opens and closes accounts.
 *
 * The counter of an open file is atomic.  A spinlock in account.c guards those of all users and the
 * total.  So that CPUs do not share this lock, each CPU charges SLUICE_ACCOUNT_BATCH in advance:
 * its stock.  Small charges take from the stock, and give back to it.  The bytes of the stocks are
 * charged, so no limit is ever exceeded.  A charge that a limit refuses takes the stocks of all
 * CPUs back and tries again, so no charge is refused because of the stocks.
 */
#ifndef _SLUICE_ACCOUNT_H
#define _SLUICE_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct sluice_account_user;

/**
 * struct sluice_account - what one open file of a node is charged
 * @user: the user who opened the file
 * @bytes: bytes in live buffers, and in foreign buffers that are slots
 */
struct sluice_account {
	struct sluice_account_user *user;
	atomic64_t bytes;
};

/**
 * struct sluice_account_numbers - the counters of an account and their limits, in bytes
 * @open_bytes: in live buffers and foreign slots of the open file
 * @open_limit: limit of one open file
 * @user_bytes: in live buffers of all open files of its user
 * @user_limit: limit of one user
 * @total_bytes: in live buffers of all open files
 * @total_limit: limit of all open files together
 */
struct sluice_account_numbers {
	u64 open_bytes;
	u64 open_limit;
	u64 user_bytes;
	u64 user_limit;
	u64 total_bytes;
	u64 total_limit;
};

void sluice_account_init(void);
u64 sluice_account_open_limit(void);
int sluice_account_open(struct sluice_account *account);
void sluice_account_close(struct sluice_account *account);
int sluice_account_charge(struct sluice_account *account, u64 bytes, bool device, u32 *hint);
bool sluice_account_has_room(u64 bytes, u64 (*parked)(void));
void sluice_account_uncharge(struct sluice_account *account, u64 bytes, bool device);
struct sluice_account_numbers sluice_account_read(const struct sluice_account *account);
kuid_t sluice_account_uid(const struct sluice_account *account);

#endif /* _SLUICE_ACCOUNT_H */
