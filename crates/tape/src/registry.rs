//! Finds the list that a variable belongs to by the number it carries, and says what happened when there is none.
//!
//! A number is `type slot (6 bits) · sequence (26 bits)`. The slot stands for the list's element type, so a number
//! determines the type, and one cache can serve lists of all types. Sequence numbers come in blocks: a block belongs
//! to one thread, which hands out its numbers to the tapes it makes and clears. After 2²⁶ numbers of one type they
//! start again; numbers of live tapes are passed over.
#![allow(unsafe_code, reason = "the registry erases the element type of a list and restores it")]

use core::any::TypeId;
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

use crate::list::List;
use crate::real::Real;

const SEQUENCE_BITS: u32 = 26;
const SEQUENCES: u32 = 1 << SEQUENCE_BITS;
const TYPE_SLOTS: usize = 63;
const BLOCK: u32 = 1 << 10;
/// One for each depth of nesting: see [`Real::DEPTH`].
const CACHE_LINES: usize = 8;

/// The number of constants.
pub(crate) const CONSTANT: u32 = 0;
/// A number that no list has: type slot 63 is not given out.
const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct CacheLine {
    number: u32,
    list: *mut (),
}

thread_local! {
    /// The list used last of each depth of nesting, so that a tape of variables and the tape of those do not displace
    /// each other. It has no destructor, so it can be read at any time in a thread's life.
    static CACHE: [Cell<CacheLine>; CACHE_LINES] =
        const { [const { Cell::new(CacheLine { number: NOBODY, list: core::ptr::null_mut() }) }; CACHE_LINES] };

    static LIVE: RefCell<Live> = RefCell::new(Live::default());
}

/// The lists of this thread.
#[derive(Default)]
struct Live {
    lists: Vec<(u32, NonNull<()>)>,
    /// By element type. There are few, and looking at all is quicker than hashing.
    types: Vec<(TypeId, Numbers)>,
}

/// The numbers that this thread may give to lists of one type: `next..end`.
struct Numbers {
    slot: u32,
    next: u32,
    end: u32,
    /// Of this thread's blocks, the numbers whose list was dropped: a bit each. The others were cleared.
    dropped: HashMap<u32, Box<[u64; BLOCK as usize / 64]>>,
}

/// What all threads share: who was given which block, and the type slots.
struct Shared {
    types: Vec<TypeId>,
    blocks: HashMap<u32, (ThreadId, String)>,
    /// The next block of each type slot.
    next_block: Vec<u32>,
}

static SHARED: Mutex<Option<Shared>> = Mutex::new(None);

fn with_shared<R>(f: impl FnOnce(&mut Shared) -> R) -> R {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    f(shared.get_or_insert_with(|| Shared {
        types: Vec::new(),
        blocks: HashMap::new(),
        next_block: Vec::new(),
    }))
}

fn block_of(number: u32) -> u32 {
    number / BLOCK
}

/// The list with this number if it was used lately: one comparison.
#[inline(always)]
pub(crate) fn cached<T: Real>(number: u32) -> Option<NonNull<List<T>>> {
    CACHE.with(|cache| {
        let line = cache[T::DEPTH % CACHE_LINES].get();
        // SAFETY: a line whose number is given out holds a list.
        (line.number == number).then(|| unsafe { NonNull::new_unchecked(line.list.cast()) })
    })
}

/// The list with this number among all lists of this thread.
#[cold]
#[inline(never)]
pub(crate) fn find<T: Real>(number: u32) -> Option<NonNull<List<T>>> {
    let list = LIVE
        .try_with(|live| {
            let live = live.borrow();
            live.lists.iter().find(|(other, _)| *other == number).map(|(_, list)| *list)
        })
        .ok()
        .flatten()?;
    set_cache::<T>(number, list.as_ptr());
    Some(list.cast())
}

fn set_cache<T: Real>(number: u32, list: *mut ()) {
    CACHE.with(|cache| cache[T::DEPTH % CACHE_LINES].set(CacheLine { number, list }));
}

fn uncache<T: Real>(number: u32) {
    CACHE.with(|cache| {
        let line = &cache[T::DEPTH % CACHE_LINES];
        if line.get().number == number {
            line.set(CacheLine { number: NOBODY, list: core::ptr::null_mut() });
        }
    });
}

/// Makes a list and enters it under a fresh number. The caller owns it: see [`remove`].
pub(crate) fn create<T: Real>() -> NonNull<List<T>> {
    let number = LIVE.with(|live| live.borrow_mut().fresh_number(TypeId::of::<T>()));
    let list = NonNull::from(Box::leak(Box::new(List::<T>::new(number))));
    LIVE.with(|live| live.borrow_mut().lists.push((number, list.cast())));
    set_cache::<T>(number, list.as_ptr().cast());
    list
}

/// Gives a list a fresh number, so that variables with the former one are recognised as stale.
pub(crate) fn renumber<T: Real>(list: NonNull<List<T>>) {
    // SAFETY: the caller's tape owns the list, which lives until `remove`; nothing else borrows it during this call.
    let former = unsafe { list.as_ref().number };
    let number = LIVE.with(|live| {
        let mut live = live.borrow_mut();
        let number = live.fresh_number(TypeId::of::<T>());
        for entry in &mut live.lists {
            if entry.0 == former {
                entry.0 = number;
            }
        }
        number
    });
    uncache::<T>(former);
    set_cache::<T>(number, list.as_ptr().cast());
    // SAFETY: as above.
    unsafe { (*list.as_ptr()).number = number };
}

/// Takes a list out of the registry and frees it. No reference to it may exist.
pub(crate) fn remove<T: Real>(list: NonNull<List<T>>) {
    // SAFETY: `create` made it by `Box::leak`, and a tape removes its list once, when it is dropped.
    let list = unsafe { Box::from_raw(list.as_ptr()) };
    uncache::<T>(list.number);
    // While the thread ends, the registry may be gone already; then nothing can look the list up any more.
    let _ = LIVE.try_with(|live| {
        let mut live = live.borrow_mut();
        live.lists.retain(|(number, _)| *number != list.number);
        let of_type = live.types.iter_mut().find(|(element, _)| *element == TypeId::of::<T>());
        if let Some((_, numbers)) = of_type {
            numbers.mark_dropped(list.number);
        }
    });
}

impl Live {
    fn fresh_number(&mut self, element: TypeId) -> u32 {
        let known = self.types.iter().position(|(other, _)| *other == element);
        let position = known.unwrap_or_else(|| {
            self.types.push((element, Numbers::of_type(element)));
            self.types.len() - 1
        });
        let numbers = &mut self.types[position].1;
        loop {
            let number = numbers.take();
            if number != CONSTANT && !self.lists.iter().any(|(live, _)| *live == number) {
                return number;
            }
        }
    }
}

impl Numbers {
    fn of_type(element: TypeId) -> Self {
        let slot = with_shared(|shared| {
            let known = shared.types.iter().position(|other| *other == element);
            known.unwrap_or_else(|| {
                assert!(shared.types.len() < TYPE_SLOTS, "tapes of more than {TYPE_SLOTS} types");
                shared.types.push(element);
                shared.next_block.push(0);
                shared.types.len() - 1
            })
        }) as u32;
        Self { slot, next: 0, end: 0, dropped: HashMap::new() }
    }

    fn take(&mut self) -> u32 {
        if self.next == self.end {
            self.next = with_shared(|shared| {
                let block = &mut shared.next_block[self.slot as usize];
                let start = (self.slot << SEQUENCE_BITS) + *block * BLOCK;
                *block = (*block + 1) % (SEQUENCES / BLOCK);
                let thread = std::thread::current();
                let name = thread.name().unwrap_or("unnamed").to_owned();
                shared.blocks.insert(block_of(start), (thread.id(), name));
                start
            });
            self.end = self.next + BLOCK;
            // After a full turn the block's former numbers are forgotten.
            self.dropped.remove(&block_of(self.next));
        }
        self.next += 1;
        self.next - 1
    }

    fn mark_dropped(&mut self, number: u32) {
        let bits = self.dropped.entry(block_of(number)).or_insert_with(|| Box::new([0; 16]));
        bits[(number % BLOCK / 64) as usize] |= 1 << (number % 64);
    }

    fn was_dropped(&self, number: u32) -> bool {
        let bits = self.dropped.get(&block_of(number));
        bits.is_some_and(|bits| bits[(number % BLOCK / 64) as usize] & 1 << (number % 64) != 0)
    }
}

/// Says why `number` belongs to no list that this thread can record on.
pub(crate) fn explain_missing(number: u32) -> String {
    let owner = with_shared(|shared| shared.blocks.get(&block_of(number)).cloned());
    match owner {
        Some((id, name)) if id != std::thread::current().id() => format!(
            "it belongs to tape {number} of another thread (\"{name}\"): a tape records on the thread that made it; \
             pass plain numbers between threads and make the variables where they are used"
        ),
        _ => {
            let past = if was_dropped(number) { "dropped" } else { "cleared" };
            format!(
                "it belongs to tape {number}, which has been {past} since: its variables ended with that; \
                 make variables anew with var()"
            )
        }
    }
}

fn was_dropped(number: u32) -> bool {
    LIVE.try_with(|live| live.borrow().types.iter().any(|(_, numbers)| numbers.was_dropped(number)))
        .unwrap_or(true)
}
