//! Panics that are expected: caught, not printed, and with something else to do meanwhile.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

type Action = Box<dyn FnOnce()>;

thread_local! {
    static EXPECTING: Cell<bool> = const { Cell::new(false) };
    static IN_THE_HOOK: RefCell<Option<Action>> = const { RefCell::new(None) };
}

/// The panic hook keeps silent about expected panics, and does what [`in_the_hook`] says.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // The thread may be ending.
            let action = IN_THE_HOOK.try_with(RefCell::take).unwrap_or(None);
            if let Some(action) = action {
                action();
            }
            if !EXPECTING.get() {
                print(info);
            }
        }));
    });
}

/// The panic hook does this at this thread's next panic.
pub(crate) fn in_the_hook(action: impl FnOnce() + 'static) {
    watch();
    IN_THE_HOOK.set(Some(Box::new(action)));
}

/// The result, or the message of the panic.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    watch();
    let before = EXPECTING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    EXPECTING.set(before);
    result.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    })
}

/// A panic in here is printed, though it be in the midst of what is expected to panic.
pub(crate) fn expecting_none<R>(f: impl FnOnce() -> R) -> R {
    let before = EXPECTING.replace(false);
    let result = f();
    EXPECTING.set(before);
    result
}

/// The misuse panics and says this.
#[track_caller]
pub(crate) fn check<R>(misuse: impl FnOnce() -> R, expected: &str) {
    match catch(misuse) {
        Ok(_) => panic!("this is not detected"),
        Err(message) => {
            assert!(message.contains(expected), "the message is not {expected:?}:\n{message}");
        }
    }
}
