# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packing of leezenflow.bitplanes in Thumb instructions, for the ARM cores of RP2040 and RP2350.

Some five times faster than viper, which keeps all but three of its variables in memory: at 25 frames a second that is
the difference between 16 % and 3 % of an RP2040. ARMv6-M instructions only.
"""

# The instructions are words of the inline assembler.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

from array import array

import micropython
import uctypes

_parameters = array("i", bytes(36))


def pack_planes(pixels, order, tables, planes, columns, row_pairs, depth):
    """Fill a buffer of planes from palette indices, see bitplanes.pack_planes; a depth of 5 or more.

    `order` may also be a folded one, see pixel_map.fold_order.
    """
    rewind = step = 0
    if len(order) == 2 * columns + 1:
        rewind = -4 * columns
        step = order[2 * columns] - 32768
    parameters = _parameters
    start = uctypes.addressof(planes)
    parameters[0] = uctypes.addressof(order)
    parameters[1] = uctypes.addressof(pixels)
    parameters[2] = uctypes.addressof(tables)
    parameters[3] = start
    parameters[4] = columns
    parameters[5] = depth * columns
    parameters[6] = start + row_pairs * depth * columns
    parameters[7] = rewind
    parameters[8] = step
    _pack(parameters)


# r0 order, r1 pixels, r2 tables, r3 where the next byte goes, r4 and r5 entries of the upper and the lower pixel;
# r8 columns, r9 end of the row's first plane, r10 bytes of a row, r11 end of the buffer, r12 end of the column,
# r14 its first byte; on the stack what r0 and r1 grow by with each row. Additions and comparisons with
# r8 and above are spelt as numbers: the assembler lacks them.
@micropython.asm_thumb
def _pack(r0):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    ldr(r1, [r0, 4])
    ldr(r2, [r0, 8])
    ldr(r3, [r0, 12])
    ldr(r4, [r0, 16])
    mov(r8, r4)
    ldr(r4, [r0, 20])
    mov(r10, r4)
    ldr(r4, [r0, 24])
    mov(r11, r4)
    ldr(r4, [r0, 28])
    ldr(r5, [r0, 32])
    push({r4, r5})
    ldr(r0, [r0, 0])
    label(ROW)
    mov(r4, r3)
    data(2, 0x4444)  # add r4, r8
    mov(r9, r4)
    label(COLUMN)
    mov(r14, r3)
    mov(r4, r3)
    data(2, 0x4454)  # add r4, r10
    mov(r12, r4)
    ldrh(r4, [r0, 0])
    add(r4, r4, r1)
    ldrb(r4, [r4, 0])
    lsl(r4, r4, 2)
    add(r4, r4, r2)
    ldrh(r5, [r0, 2])
    add(r5, r5, r1)
    ldrb(r5, [r5, 0])
    lsl(r5, r5, 2)
    add(r5, r5, r2)
    add(r0, 4)
    # The first four planes; every depth has them.
    ldr(r6, [r4, 0])
    ldr(r7, [r5, 0])
    lsl(r7, r7, 3)
    orr(r6, r7)
    strb(r6, [r3, 0])
    data(2, 0x4443)  # add r3, r8
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    # One to four more of each further table.
    label(GROUP)
    mov(r7, 1)
    lsl(r7, r7, 10)
    add(r4, r4, r7)
    add(r5, r5, r7)
    ldr(r6, [r4, 0])
    ldr(r7, [r5, 0])
    lsl(r7, r7, 3)
    orr(r6, r7)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    data(2, 0x4563)  # cmp r3, r12
    beq(NEXT)
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    data(2, 0x4563)
    beq(NEXT)
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    data(2, 0x4563)
    beq(NEXT)
    lsr(r6, r6, 8)
    strb(r6, [r3, 0])
    data(2, 0x4443)
    data(2, 0x4563)
    bne(GROUP)
    label(NEXT)
    mov(r3, r14)
    add(r3, 1)
    data(2, 0x454B)  # cmp r3, r9
    bne(COLUMN)
    mov(r4, r8)
    sub(r3, r3, r4)
    data(2, 0x4453)  # add r3, r10
    mov(r4, sp)
    ldr(r5, [r4, 0])
    add(r0, r0, r5)
    ldr(r5, [r4, 4])
    add(r1, r1, r5)
    data(2, 0x455B)  # cmp r3, r11
    bne(ROW)
    pop({r4, r5})
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
