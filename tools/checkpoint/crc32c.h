/* SPDX-License-Identifier: GPL-2.0 */
/* CRC-32C (Castagnoli), as iSCSI has it. */
#ifndef _TOOLS_CHECKPOINT_CRC32C_H
#define _TOOLS_CHECKPOINT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on with @crc over more bytes; starts with 0. */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

#endif /* _TOOLS_CHECKPOINT_CRC32C_H */
