/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accounts: how much memory the buffers of a client may have.
 *
 * A lock of account.c guards all counters.
 */
#ifndef _SLUICE_ACCOUNT_H
#define _SLUICE_ACCOUNT_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct sluice_client;

/**
 * struct sluice_account - the counters of a client and their limits, in bytes
 * @open_bytes: in live buffers and foreign slots of the client
 * @open_limit: limit of one client
 * @user_bytes: in live buffers of all clients of its user
 * @user_limit: limit of one user
 * @total_bytes: in live buffers of all clients
 * @total_limit: limit of all clients together
 */
struct sluice_account {
	u64 open_bytes;
	u64 open_limit;
	u64 user_bytes;
	u64 user_limit;
	u64 total_bytes;
	u64 total_limit;
};

u64 sluice_open_limit(void);
int sluice_account_open(struct sluice_client *client);
void sluice_account_close(struct sluice_client *client);
int sluice_account_charge(struct sluice_client *client, u64 bytes, bool device, u32 *hint);
void sluice_account_uncharge(struct sluice_client *client, u64 bytes, bool device);
struct sluice_account sluice_account_read(const struct sluice_client *client);
kuid_t sluice_account_uid(const struct sluice_client *client);

#endif /* _SLUICE_ACCOUNT_H */
