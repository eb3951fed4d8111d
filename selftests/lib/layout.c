// SPDX-License-Identifier: MIT
/*
 * The UAPI structs.  This file checks their sizes, which must never change; pahole checks its
 * object file for padding (selftests/vm/gates).
 */
#include <linux/sluice.h>

#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type); struct type use_##type

SIZE(sluice_info, 176);
SIZE(sluice_heap_info, 56);
SIZE(sluice_alloc, 32);
SIZE(sluice_buffer_info, 56);
SIZE(sluice_create_queue, 32);
SIZE(sluice_wrap, 40);
SIZE(sluice_sync, 24);
SIZE(sluice_eventfd, 16);
SIZE(sluice_engine_info, 56);
SIZE(sluice_enum_formats, 40);
SIZE(sluice_enum_sizes, 56);
SIZE(sluice_fraction, 8);
SIZE(sluice_enum_intervals, 56);
SIZE(sluice_source, 32);
SIZE(sluice_enum_controls, 88);
SIZE(sluice_enum_menu, 48);
SIZE(sluice_control, 16);
SIZE(sluice_event, 64);
SIZE(sluice_attach, 16);
SIZE(sluice_detach, 8);
SIZE(sluice_plane, 16);
SIZE(sluice_op, 96);
SIZE(sluice_command, 40);
SIZE(sluice_in_point, 16);
SIZE(sluice_submit, 72);
SIZE(sluice_submit_many, 40);
SIZE(sluice_export_fence, 24);
SIZE(sluice_wait, 24);
SIZE(sluice_cancel, 24);
SIZE(sluice_completion, 104);
SIZE(sluice_queue_info, 40);
SIZE(sluice_ring_header, 192);
SIZE(sluice_ack, 24);
SIZE(sluice_uring_submit, 16);
SIZE(sluice_uring_submit_many, 16);
