//! A small allocator. The standard one costs five kilobytes, and we hold a few short strings.
//!
//! Sizes are rounded up: small ones to steps of 16 bytes, larger ones to powers of two. Each size has a list of free
//! blocks. Blocks are taken from the list or from fresh memory, and go back to their list: both in constant time,
//! however many there are. Free blocks are not joined, so that memory is bounded by the peak of each size.
#![allow(unsafe_code)]
#![allow(clippy::cast_ptr_alignment)] // blocks start at multiples of 16

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::memory_grow,
    cell::UnsafeCell,
    ptr::null_mut,
};

/// Blocks start at multiples of this, and small ones are as long as some of it. A block holds a link while it is free.
const STEP: usize = 16;
/// The number of sizes of small blocks.
const STEPS: usize = 64;
const LARGEST_SMALL: u32 = (STEP * STEPS).ilog2();
const PAGE: usize = 65_536;

/// The list of the blocks that hold `size` bytes, and the size of those blocks. No block has more than 2^30 bytes: the
/// lists behind that one do not exist.
fn class_of(size: usize) -> (usize, usize) {
    if size <= STEP * STEPS {
        let steps = size.div_ceil(STEP);
        return (steps, steps * STEP);
    }
    let power = usize::BITS - (size - 1).leading_zeros();
    (STEPS + (power - LARGEST_SMALL) as usize, 1_usize.wrapping_shl(power))
}

struct Allocator {
    free: UnsafeCell<[*mut u8; STEPS + 21]>,
    /// The fresh memory: its start and its end.
    fresh: UnsafeCell<(usize, usize)>,
}

// SAFETY: this module is built for WebAssembly without threads.
unsafe impl Sync for Allocator {}

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator { free: UnsafeCell::new([null_mut(); STEPS + 21]), fresh: UnsafeCell::new((0, 0)) };

// SAFETY: a block is in one list or in one hand, is at least as large as its layout, and starts at a multiple of
// `STEP`. There is no memory for a layout that wants more.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (list, size) = class_of(layout.size());
        if layout.align() > STEP {
            return null_mut();
        }
        // SAFETY: there is one thread, and nothing in here allocates.
        unsafe {
            let Some(head) = (*self.free.get()).get_mut(list) else { return null_mut() };
            let block = *head;
            if !block.is_null() {
                *head = *block.cast::<*mut u8>();
                return block;
            }
            let (start, end) = &mut *self.fresh.get();
            if size > *end - *start {
                // The memory between belongs to another caller of `memory.grow`: go on behind it.
                let pages = size.div_ceil(PAGE);
                let first = memory_grow(0, pages);
                if first == usize::MAX {
                    return null_mut();
                }
                if first * PAGE != *end {
                    *start = first * PAGE;
                }
                // The last byte of 4 GiB stays unused: an address cannot name the end behind it.
                *end = (first + pages).saturating_mul(PAGE);
                if size > *end - *start {
                    return null_mut();
                }
            }
            let block = *start;
            *start += size;
            block as *mut u8
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's last use of it, and can hold a link.
        unsafe {
            let head = &mut (*self.free.get())[class_of(layout.size()).0];
            *block.cast::<*mut u8>() = *head;
            *head = block;
        }
    }
}
