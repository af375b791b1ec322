//! Finds the list that a variable belongs to by the number it carries, and says what happened when there is none.
//!
//! A number is `type slot (6 bits) · sequence (26 bits)`. The slot stands for the list's element type, so a number
//! determines the type, and one cache can serve lists of all types.
//!
//! Threads take numbers in ranges of up to 1,024, and give each to a list they make or clear. A number belongs to one
//! list as long as that lives, in the whole process. What a thread has not used when it ends goes to others, before any
//! fresh number does. When all 2²⁶ numbers of a type have been used, they are used again, those first that have had no
//! list for the longest time. Only a variable that has been stale for so long can be taken for one of another list.
#![allow(unsafe_code, reason = "the registry erases the element type of a list and restores it")]

use core::any::TypeId;
use core::cell::{Cell, RefCell};
use core::mem::{ManuallyDrop, replace, take};
use core::ops::Range;
use core::ptr::NonNull;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use rustc_hash::FxBuildHasher;

use crate::list::Storage;
use crate::real::Real;

const SEQUENCE_BITS: u32 = 26;
const SEQUENCES: u32 = 1 << SEQUENCE_BITS;
const TYPE_SLOTS: usize = 63;
/// The most numbers that a thread takes at once.
const BLOCK: u32 = 1 << 10;
/// One for each depth of nesting: see `Number::DEPTH`.
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

const NO_LINE: CacheLine = CacheLine { number: NOBODY, list: core::ptr::null_mut() };

// Neither of the first two has a destructor, so that both serve at any time in a thread's life, in the destructors of
// other thread-locals too.
thread_local! {
    /// The list used last of each depth of nesting, so that a tape of variables and the tape of those do not displace
    /// each other.
    static CACHE: [Cell<CacheLine>; CACHE_LINES] = const { [const { Cell::new(NO_LINE) }; CACHE_LINES] };

    static LIVE: RefCell<ManuallyDrop<Live>> = const { RefCell::new(ManuallyDrop::new(Live::new(false))) };

    static FAREWELL: Farewell = const { Farewell };
}

/// Its destructor is the sign that the thread ends.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        with_live(|live| {
            live.is_ending = true;
            live.leave();
        });
    }
}

/// The lists of this thread.
struct Live {
    lists: HashMap<u32, NonNull<()>, FxBuildHasher>,
    /// One for each type that this thread has had a list of: they are few.
    types: Vec<Numbers>,
    is_ending: bool,
}

/// The numbers of one type that this thread has taken.
struct Numbers {
    element: TypeId,
    slot: u32,
    /// The range taken last.
    current: Taken,
    /// Of this range, what no list has had.
    unused: Range<u32>,
    /// Ranges taken before of which lists still have numbers, by the first number.
    older: BTreeMap<u32, Taken>,
    /// The first numbers of all ranges that are entered as this thread's.
    entered: HashSet<u32, FxBuildHasher>,
    /// By block, the numbers whose list was dropped: a bit each. The others' lists were cleared.
    dropped: HashMap<u32, Box<[u64; BLOCK as usize / 64]>, FxBuildHasher>,
}

/// A range of numbers that a thread has taken, and how many lists have one of them.
struct Taken {
    range: Range<u32>,
    lists: u32,
}

/// What all threads share.
struct Shared {
    types: Vec<Sequence>,
    /// The ranges that threads have taken, by the first number. They do not overlap. Those of threads that have ended
    /// are not there.
    owners: BTreeMap<u32, Owner>,
}

/// The numbers of one type that no thread has.
struct Sequence {
    element: TypeId,
    /// Neither these numbers nor any after them have been taken.
    fresh: u32,
    /// No list has had them.
    unused: Vec<Range<u32>>,
    /// Lists have had them, and none has them any more: the longest ago comes first.
    used: VecDeque<Range<u32>>,
}

struct Owner {
    end: u32,
    thread: ThreadId,
    name: Arc<str>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { types: Vec::new(), owners: BTreeMap::new() });

/// Neither this nor [`with_live`] may panic inside: a panic hook may make tapes too.
fn with_shared<R>(f: impl FnOnce(&mut Shared) -> R) -> R {
    f(&mut SHARED.lock().unwrap_or_else(PoisonError::into_inner))
}

fn with_live<R>(f: impl FnOnce(&mut Live) -> R) -> R {
    LIVE.with(|live| f(&mut live.borrow_mut()))
}

/// The list with this number if it was used lately: one comparison.
///
/// Whoever follows the pointer must know that the list's tape is not dropped meanwhile: no code of others may run (an
/// iterator, a closure, the panic hook).
#[inline(always)]
pub(crate) fn cached<T: Real>(number: u32) -> Option<NonNull<Storage<T>>> {
    CACHE.with(|cache| {
        let line = cache[T::DEPTH % CACHE_LINES].get();
        // SAFETY: a line whose number is given out holds a list.
        (line.number == number).then(|| unsafe { NonNull::new_unchecked(line.list.cast()) })
    })
}

/// The list with this number among all lists of this thread.
#[cold]
#[inline(never)]
pub(crate) fn find<T: Real>(number: u32) -> Option<NonNull<Storage<T>>> {
    let list = with_live(|live| live.lists.get(&number).copied())?;
    set_cache::<T>(number, list.as_ptr());
    Some(list.cast())
}

/// [`cached`], otherwise [`find`].
#[inline(always)]
pub(crate) fn look_up<T: Real>(number: u32) -> Option<NonNull<Storage<T>>> {
    cached(number).or_else(|| find(number))
}

fn set_cache<T: Real>(number: u32, list: *mut ()) {
    CACHE.with(|cache| cache[T::DEPTH % CACHE_LINES].set(CacheLine { number, list }));
}

fn uncache<T: Real>(number: u32) {
    CACHE.with(|cache| {
        let line = &cache[T::DEPTH % CACHE_LINES];
        if line.get().number == number {
            line.set(NO_LINE);
        }
    });
}

/// Makes a list and enters it under a number that no other list has. The caller owns it: see [`remove`].
#[track_caller]
pub(crate) fn create<T: Real>() -> NonNull<Storage<T>> {
    let number = take_number::<T>();
    let list = NonNull::from(Box::leak(Box::new(Storage::<T>::new(number))));
    with_live(|live| live.lists.insert(number, list.cast()));
    set_cache::<T>(number, list.as_ptr().cast());
    list
}

/// Gives a list another number, so that variables with the former one are recognised as stale.
#[track_caller]
pub(crate) fn renumber<T: Real>(list: &Storage<T>) {
    let former = list.number();
    let taken = with_live(|live| {
        let numbers = live.numbers_of::<T>()?;
        let number = numbers.take()?;
        numbers.release(former);
        if let Some(entry) = live.lists.remove(&former) {
            live.lists.insert(number, entry);
            uncache::<T>(former);
            set_cache::<T>(number, entry.as_ptr());
        }
        Some(number)
    });
    let Some(number) = taken else { out_of_numbers() };
    list.set_number(number);
}

/// Takes a list out of the registry and frees it.
///
/// # Safety
/// It was made by [`create`], and is not removed twice. Nobody uses a reference to it any more, but for a
/// [`List`](crate::list::List).
pub(crate) unsafe fn remove<T: Real>(list: NonNull<Storage<T>>) {
    // SAFETY: the list is there, as the caller says.
    let (number, is_held) = unsafe { (list.as_ref().number(), list.as_ref().is_held()) };
    uncache::<T>(number);
    with_live(|live| {
        live.lists.remove(&number);
        if let Some(numbers) = live.numbers_of::<T>() {
            numbers.mark_dropped(number);
            numbers.release(number);
        }
        if live.is_ending {
            live.leave();
        }
    });
    // A list that is held is one whose sweep has just panicked, and the panic hook has dropped its tape. Its memory is
    // given up.
    if !is_held {
        // SAFETY: `create` made it by `Box::leak`, nobody has a reference to it, and nobody finds it any more.
        drop(unsafe { Box::from_raw(list.as_ptr()) });
    }
}

/// Clears a buffer of adjoints and keeps it on the tape with this number, if there still is one.
pub(crate) fn give_back_scratch<T: Real>(number: u32, mut buffer: Vec<T>) {
    const KEPT: usize = 4;
    if let Some(list) = look_up::<T>(number) {
        // SAFETY: no code of others runs here.
        let list = unsafe { list.as_ref() };
        if list.kept_scratch() < KEPT {
            buffer.fill(T::from_f64(0.0));
            list.keep_scratch(buffer);
        }
    }
}

/// A number for a list, which no living list has.
#[track_caller]
fn take_number<T: Real>() -> u32 {
    let taken = with_live(|live| live.numbers_of::<T>()?.take());
    match taken {
        Some(number) => number,
        None => out_of_numbers(),
    }
}

#[cold]
#[track_caller]
fn out_of_numbers() -> ! {
    panic!(
        "no number is left for a tape: there are tapes of {TYPE_SLOTS} types of number, or living tapes hold all of the \
         {SEQUENCES} numbers that a type has, in ranges of {BLOCK}"
    );
}

impl Live {
    const fn new(is_ending: bool) -> Self {
        Self { lists: HashMap::with_hasher(FxBuildHasher), types: Vec::new(), is_ending }
    }

    /// The numbers of a type; `None` where there are too many types.
    fn numbers_of<T: Real>(&mut self) -> Option<&mut Numbers> {
        let element = TypeId::of::<T>();
        let known = self.types.iter().position(|numbers| numbers.element == element);
        let place = if let Some(place) = known {
            place
        } else {
            let slot = with_shared(|shared| shared.slot_of(element))?;
            self.types.push(Numbers::new(element, slot));
            self.types.len() - 1
        };
        Some(&mut self.types[place])
    }

    /// Gives back what a thread that ends has no use for. Lists may outlast this, in thread-locals destroyed later or
    /// for ever, and later destructors may make others; so it is called again with every list that goes.
    fn leave(&mut self) {
        with_shared(|shared| {
            for numbers in &mut self.types {
                numbers.give_back(shared);
            }
        });
        if self.lists.is_empty() {
            *self = Self::new(true);
        }
    }
}

impl Numbers {
    fn new(element: TypeId, slot: u32) -> Self {
        Self {
            element,
            slot,
            current: Taken { range: 0..0, lists: 0 },
            unused: 0..0,
            older: BTreeMap::new(),
            entered: HashSet::default(),
            dropped: HashMap::default(),
        }
    }

    fn take(&mut self) -> Option<u32> {
        if self.unused.is_empty() {
            self.take_range()?;
        }
        self.current.lists += 1;
        self.unused.next()
    }

    #[cold]
    fn take_range(&mut self) -> Option<()> {
        // From here on the thread's end is noticed.
        let _ = FAREWELL.try_with(|_| ());
        let thread = std::thread::current();
        let range = with_shared(|shared| {
            self.put_aside(shared);
            let range = shared.types[self.slot as usize].take(self.slot)?;
            let name = Arc::from(thread.name().unwrap_or("unnamed"));
            let owner = Owner { end: range.end, thread: thread.id(), name };
            shared.owners.insert(range.start, owner);
            Some(range)
        })?;
        self.entered.insert(range.start);
        // The block's former numbers are forgotten.
        self.dropped.remove(&block_of(range.start));
        self.unused = range.clone();
        self.current = Taken { range, lists: 0 };
        Some(())
    }

    /// Ends the use of the current range, of which nothing is unused.
    fn put_aside(&mut self, shared: &mut Shared) {
        let taken = replace(&mut self.current, Taken { range: 0..0, lists: 0 });
        if taken.lists > 0 {
            self.older.insert(taken.range.start, taken);
        } else {
            shared.types[self.slot as usize].put_used(taken.range);
        }
    }

    /// A list has this number no more.
    fn release(&mut self, number: u32) {
        if self.current.range.contains(&number) {
            self.current.lists -= 1;
            return;
        }
        let Some((&start, taken)) = self.older.range_mut(..=number).next_back() else { return };
        taken.lists -= 1;
        if taken.lists == 0
            && let Some(taken) = self.older.remove(&start)
        {
            with_shared(|shared| shared.types[self.slot as usize].put_used(taken.range));
        }
    }

    /// The thread ends: others may have what it has not used, and it needs no name any more.
    fn give_back(&mut self, shared: &mut Shared) {
        let unused = take(&mut self.unused);
        if !unused.is_empty() {
            self.current.range.end = unused.start;
            shared.types[self.slot as usize].unused.push(unused);
        }
        self.put_aside(shared);
        let me = std::thread::current().id();
        for start in self.entered.drain() {
            // Another thread may have taken the range since.
            if shared.owners.get(&start).is_some_and(|owner| owner.thread == me) {
                shared.owners.remove(&start);
            }
        }
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

impl Shared {
    /// The slot of a type, unless there are too many types.
    fn slot_of(&mut self, element: TypeId) -> Option<u32> {
        let known = self.types.iter().position(|sequence| sequence.element == element);
        let slot = known.or_else(|| {
            let slot = self.types.len();
            (slot < TYPE_SLOTS).then(|| self.types.push(Sequence::new(element, slot as u32)))?;
            Some(slot)
        });
        slot.map(|slot| slot as u32)
    }

    fn owner_of(&self, number: u32) -> Option<&Owner> {
        let (_, owner) = self.owners.range(..=number).next_back()?;
        (number < owner.end).then_some(owner)
    }
}

impl Sequence {
    fn new(element: TypeId, slot: u32) -> Self {
        let fresh = (slot << SEQUENCE_BITS).max(CONSTANT + 1);
        Self { element, fresh, unused: Vec::new(), used: VecDeque::new() }
    }

    /// A range within one block.
    fn take(&mut self, slot: u32) -> Option<Range<u32>> {
        if let Some(range) = self.unused.pop() {
            return Some(range);
        }
        let start = self.fresh;
        if start >> SEQUENCE_BITS == slot {
            self.fresh = (block_of(start) + 1) * BLOCK;
            return Some(start..self.fresh);
        }
        self.used.pop_front()
    }

    fn put_used(&mut self, range: Range<u32>) {
        match self.used.back_mut() {
            _ if range.is_empty() => {}
            // Threads that end after few tapes leave pieces.
            Some(last)
                if last.end == range.start && block_of(last.start) == block_of(range.start) =>
            {
                last.end = range.end;
            }
            _ => self.used.push_back(range),
        }
    }
}

fn block_of(number: u32) -> u32 {
    number / BLOCK
}

/// Says why `number` belongs to no list that this thread can record on.
pub(crate) fn explain_missing(number: u32) -> String {
    const ADVICE: &str = "a tape records on the thread that made it; pass plain numbers between threads and make the \
                          variables where they are used";
    let me = std::thread::current().id();
    let owner = with_shared(|shared| {
        let owner = shared.owner_of(number);
        owner.map(|owner| (owner.thread == me, Arc::clone(&owner.name)))
    });
    match owner {
        None => format!("it belongs to tape {number} of another thread, which has ended: {ADVICE}"),
        Some((false, name)) => {
            format!("it belongs to tape {number} of another thread (\"{name}\"): {ADVICE}")
        }
        Some((true, _)) => {
            let dropped =
                with_live(|live| live.types.iter().any(|numbers| numbers.was_dropped(number)));
            let past = if dropped { "dropped" } else { "cleared" };
            format!(
                "it belongs to tape {number}, which has been {past} since: its variables ended with that; \
                 make variables anew with var()"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_BLOCK: u32 = (3 << SEQUENCE_BITS) - BLOCK;

    /// A type's numbers, of which one block is fresh.
    fn sequence() -> Sequence {
        Sequence { fresh: LAST_BLOCK, ..Sequence::new(TypeId::of::<u8>(), 2) }
    }

    #[test]
    fn numbers_that_no_list_has_had_are_taken_first() {
        let mut sequence = sequence();
        sequence.put_used(1..3);
        sequence.unused.push(5..9);
        assert_eq!(sequence.take(2), Some(5..9));
        assert_eq!(sequence.take(2), Some(LAST_BLOCK..LAST_BLOCK + BLOCK));
        assert_eq!(sequence.take(2), Some(1..3));
        assert_eq!(sequence.take(2), None);
    }

    #[test]
    fn numbers_that_have_had_no_list_for_the_longest_time_are_used_again_first() {
        let mut sequence = sequence();
        sequence.take(2);
        sequence.put_used(2048..3072);
        sequence.put_used(0..0);
        sequence.put_used(1..700);
        sequence.put_used(700..1024);
        sequence.put_used(1024..1025);
        assert_eq!(sequence.take(2), Some(2048..3072));
        assert_eq!(sequence.take(2), Some(1..1024));
        assert_eq!(sequence.take(2), Some(1024..1025));
        assert_eq!(sequence.take(2), None);
    }

    #[test]
    fn the_first_number_is_not_that_of_constants() {
        let mut sequence = Sequence::new(TypeId::of::<u8>(), 0);
        assert_eq!(sequence.take(0), Some(1..BLOCK));
        assert_eq!(sequence.take(0), Some(BLOCK..2 * BLOCK));
    }

    #[test]
    fn the_numbers_of_a_type_are_its_slots() {
        let (first, last) = (LAST_BLOCK, LAST_BLOCK + BLOCK - 1);
        assert_eq!((first >> SEQUENCE_BITS, last >> SEQUENCE_BITS), (2, 2));
        assert!(TYPE_SLOTS < (NOBODY >> SEQUENCE_BITS) as usize + 1);
    }

    #[test]
    fn a_range_is_used_again_when_no_list_has_a_number_of_it() {
        // A type of this test's own.
        struct Own;
        let slot = with_shared(|shared| shared.slot_of(TypeId::of::<Own>())).expect("few types");
        let used = || with_shared(|shared| shared.types[slot as usize].used.clone());
        let mut numbers = Numbers::new(TypeId::of::<Own>(), slot);
        let kept: Vec<u32> = (0..2).filter_map(|_| numbers.take()).collect();
        let first = numbers.current.range.clone();
        // Every number of two blocks is given to a list, which is cleared at once.
        for _ in 0..2 * BLOCK {
            let number = numbers.take().expect("there are fresh ones");
            numbers.release(number);
        }
        assert!(!used().contains(&first), "two lists have numbers of it");
        numbers.release(kept[0]);
        assert!(!used().contains(&first), "a list has a number of it");
        numbers.release(kept[1]);
        assert!(used().contains(&first));
        // What is not used is given back, and is not there twice.
        with_shared(|shared| numbers.give_back(shared));
        with_shared(|shared| {
            let sequence = &shared.types[slot as usize];
            let given = sequence.used.iter().chain(&sequence.unused).map(ExactSizeIterator::len);
            assert_eq!(given.sum::<usize>(), (sequence.fresh - first.start) as usize);
            assert!(shared.owner_of(kept[0]).is_none());
        });
    }
}
