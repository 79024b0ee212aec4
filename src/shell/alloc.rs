//! A small allocator. The standard one costs five kilobytes, and we hold a few short strings.
//!
//! Sizes are rounded up to powers of two, and each size has a list of free blocks. Blocks are taken from the
//! list or from fresh memory, and go back to their list: both in constant time, however many there are. Free
//! blocks are not joined, so that memory is bounded by the peak of each size.
#![allow(unsafe_code)]
#![allow(clippy::cast_ptr_alignment)] // blocks start at multiples of their size, which is at least 16

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::memory_grow,
    cell::UnsafeCell,
    ptr::null_mut,
};

/// The end of the first block of `size` bytes that begins at a multiple of it, not before `start`; none where that
/// lies beyond what an address can name.
fn end_of(start: usize, size: usize) -> Option<usize> {
    (start.checked_add(size - 1)? & !(size - 1)).checked_add(size)
}

/// A block holds a link while it is free, and keeps alignments up to its size.
const SMALLEST: u32 = 4; // 2^4 bytes
const PAGE: usize = 65_536;

struct Allocator {
    free: UnsafeCell<[*mut u8; 32]>,
    /// The fresh memory: its start and its end.
    fresh: UnsafeCell<(usize, usize)>,
}

// SAFETY: this module is built for WebAssembly without threads.
unsafe impl Sync for Allocator {}

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator { free: UnsafeCell::new([null_mut(); 32]), fresh: UnsafeCell::new((0, 0)) };

fn class_of(layout: Layout) -> u32 {
    let size = layout.size().max(layout.align());
    (usize::BITS - (size - 1).leading_zeros()).max(SMALLEST)
}

// SAFETY: a block is in one list or in one hand, is at least as large as its layout, and starts at a multiple
// of its size, which is at least the alignment.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class_of(layout);
        if class > 30 {
            return null_mut();
        }
        // SAFETY: there is one thread, and nothing in here allocates.
        unsafe {
            let head = &mut (*self.free.get())[class as usize];
            let block = *head;
            if !block.is_null() {
                *head = *block.cast::<*mut u8>();
                return block;
            }
            let size = 1_usize << class;
            let (start, end) = &mut *self.fresh.get();
            let mut behind = end_of(*start, size);
            if behind.is_none_or(|behind| behind > *end) {
                // Memory that was grown by somebody else in between is not ours: begin anew behind it.
                let pages = (2 * size).div_ceil(PAGE);
                let first = memory_grow(0, pages);
                if first == usize::MAX {
                    return null_mut();
                }
                if first * PAGE != *end {
                    *start = first * PAGE;
                }
                // The last byte of 4 GiB stays unused: an address cannot name the end behind it.
                *end = (first + pages).saturating_mul(PAGE);
                behind = end_of(*start, size);
            }
            let Some(behind) = behind else { return null_mut() };
            *start = behind;
            (behind - size) as *mut u8
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's last use of it, and can hold a link.
        unsafe {
            let head = &mut (*self.free.get())[class_of(layout) as usize];
            *block.cast::<*mut u8>() = *head;
            *head = block;
        }
    }
}
