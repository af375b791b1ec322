//! Writing that loses nothing: places tried first, files replaced as a whole, trainings that are killed at any moment.

use core::ops::ControlFlow;
use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nn::{Autosave, Checkpoint, Destination, Error, Event, FileError, Loss, Settings, Trainer};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::trainer::{rows, small_network, trainer};

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[track_caller]
fn refused(path: &Path, kind: ErrorKind, what: &str) {
    let error = Destination::new(path).unwrap_err();
    assert!(
        matches!(&error, FileError::Write { reason, .. } if reason.kind() == kind),
        "{error:?}"
    );
    assert!(error.to_string().contains(what), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn places_where_no_file_can_be_are_refused_before_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    refused(&inside("no/such.csv"), ErrorKind::NotFound, "there is no folder");
    refused(&inside(".."), ErrorKind::IsADirectory, "there is a folder of this name");
    fs::create_dir(inside("taken")).unwrap();
    refused(&inside("taken"), ErrorKind::IsADirectory, "there is a folder of this name");
    fs::write(inside("kept"), "kept").unwrap();
    let mut permissions = fs::metadata(inside("kept")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(inside("kept"), permissions).unwrap();
    refused(&inside("kept"), ErrorKind::PermissionDenied, "is read-only");
    refused(&inside("kept/below"), ErrorKind::NotADirectory, "");
    assert_eq!(names(folder.path()), ["kept", "taken"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // The administrator may write everywhere.
    if fs::write(folder.path().join("probe"), "").is_err() {
        refused(&folder.path().join("x"), ErrorKind::PermissionDenied, "");
    }
}

#[test]
fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "before").unwrap();
    let destination = Destination::new(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"before", "to try changes nothing");
    destination.write(b"after").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"after");
    drop(destination);
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_place_has_one_owner_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let first = Destination::new(&path).unwrap();
    let error = Destination::new(folder.path().join(".").join("file")).unwrap_err();
    assert!(matches!(error, FileError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("another training writes there"), "{error}");
    drop(first);
    Destination::new(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn the_file_behind_a_link_is_replaced_with_its_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    Destination::new(&link).unwrap().write(b"after").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"after");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_and_not_replaced() {
    Destination::new("/dev/null").unwrap().write(b"gone").unwrap();
    let error = Destination::new("/dev/full").unwrap().write(b"no room").unwrap_err();
    let is_full = |reason: &std::io::Error| reason.kind() == ErrorKind::StorageFull;
    assert!(matches!(&error, FileError::Write { reason, .. } if is_full(reason)), "{error}");
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}

#[test]
fn a_reason_of_the_system_is_said_once() {
    let error: &dyn core::error::Error = &Checkpoint::read("no/such/run").unwrap_err();
    assert!(error.source().is_none());
    assert_eq!(error.to_string().matches("os error").count(), 1, "{error}");
}

/// A training with this many epochs that saves itself to this path.
fn saving(path: &Path, epochs: usize, when: Autosave) -> Trainer {
    let mut trainer = trainer(Settings { epochs, batch: 8, rate: 0.01, ..Settings::default() });
    trainer.autosave(path, when).unwrap();
    trainer
}

/// The epochs after which it saves itself, when it trains.
fn saved_after(trainer: &mut Trainer) -> Vec<usize> {
    let mut epochs = Vec::new();
    let watch = |event| {
        if let Event::Saved { epoch } = event {
            epochs.push(epoch);
        }
        ControlFlow::Continue(())
    };
    trainer.train_watched(rows(20, 1).samples(), None, watch).unwrap();
    epochs
}

#[test]
fn a_training_saves_itself_as_often_as_it_is_told_and_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    for (when, expected) in [
        (Autosave { epochs: 3, time: Duration::MAX }, vec![3, 6]),
        (Autosave { epochs: 100, time: Duration::ZERO }, (1..=7).collect()),
        (Autosave { epochs: 0, time: Duration::MAX }, (1..=7).collect()),
        (Autosave { epochs: 100, time: Duration::MAX }, vec![]),
    ] {
        let mut trainer = saving(&path, 7, when);
        assert_eq!(saved_after(&mut trainer), expected, "{when:?}");
        let read = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        assert!(read.last().has_parameters_of(trainer.last()));
        assert_eq!(read.history(), trainer.history());
        fs::remove_file(path.with_extension("safetensors")).unwrap();
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_training_that_is_stopped_in_its_first_epoch_saves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut first = saving(&path, 7, Autosave::default());
    saved_after(&mut first);
    drop(first);
    let before = fs::read(path.with_extension("safetensors")).unwrap();
    let mut second = saving(&path, 7, Autosave { epochs: 1, time: Duration::ZERO });
    let rows = rows(20, 1);
    second.train_watched(rows.samples(), None, |_| ControlFlow::Break(())).unwrap();
    assert_eq!(fs::read(path.with_extension("safetensors")).unwrap(), before);
}

#[test]
fn two_trainings_do_not_save_to_one_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut first = saving(&path, 7, Autosave::default());
    let mut second = trainer(Settings::default());
    let in_use = |result: Result<(), FileError>| {
        assert!(matches!(result, Err(FileError::InUse { .. })), "{result:?}");
    };
    in_use(second.autosave(&path, Autosave::default()));
    in_use(second.save(&path));
    // A copy is another training.
    in_use(first.clone().save(&path));
    saved_after(&mut first);
    first.save(&path).unwrap();
    first.autosave(&path, Autosave::default()).unwrap();
    drop(first);
    second.save(&path).unwrap();
}

#[test]
fn saves_of_two_trainings_at_once_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let save = |seed: u64| {
        let mut trainer = trainer(Settings { epochs: 1, seed, ..Settings::default() });
        trainer.train(rows(20, seed).samples()).unwrap();
        let path = path.clone();
        move || {
            for _ in 0..50 {
                match trainer.save(&path) {
                    Ok(()) | Err(FileError::InUse { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    let threads = [1, 2].map(|seed| std::thread::spawn(save(seed)));
    for thread in threads {
        thread.join().unwrap();
    }
    let read = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
    let mut same = trainer(*read.settings());
    same.train(rows(20, read.settings().seed).samples()).unwrap();
    assert!(same.last().has_parameters_of(read.last()));
    assert_eq!(names(folder.path()), ["run.safetensors"]);
}

#[test]
fn a_training_that_cannot_be_saved_goes_on_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let mut trainer = saving(&inner.join("run"), 4, Autosave { epochs: 2, time: Duration::MAX });
    fs::remove_dir_all(&inner).unwrap();
    let mut told = Vec::new();
    let watch = |event| {
        if let Event::NotSaved { epoch, reason } = event {
            told.push((epoch, reason));
        }
        ControlFlow::Continue(())
    };
    let error = trainer.train_watched(rows(20, 1).samples(), None, watch).unwrap_err();
    assert_eq!(told, [(2, ErrorKind::NotFound), (4, ErrorKind::NotFound)]);
    assert!(matches!(error, Error::NotSaved { epoch: 4, .. }), "{error:?}");
    assert!(error.to_string().contains("run.safetensors"), "{error}");
    assert_eq!(trainer.history().len(), 4, "it is all there");
    trainer.save(folder.path().join("elsewhere")).unwrap();
}

const EPOCHS: usize = 400;
const PLACE: &str = "WENGERT_TEST_CHECKPOINT";

/// Trains with a save after each epoch, from the checkpoint if there is one.
#[test]
#[ignore = "it is the process that the next test kills"]
fn a_training_to_kill() {
    let Some(path) = std::env::var_os(PLACE) else { return };
    let path = PathBuf::from(path);
    let when = Autosave { epochs: 1, time: Duration::ZERO };
    let mut trainer = if path.exists() {
        let mut trainer = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        trainer.autosave(&path, when).unwrap();
        trainer
    } else {
        saving(&path, EPOCHS, when)
    };
    println!("\nbegins");
    trainer.train(rows(20, 1).samples()).unwrap();
}

/// `WENGERT_KILLS` says how many; each at a random moment, most of them while a checkpoint is written, for that is most of
/// what the process does.
#[cfg(unix)]
#[test]
fn a_training_that_is_killed_at_any_moment_resumes_to_the_bit() {
    let kills = std::env::var("WENGERT_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let rows = rows(20, 1);

    // What an undisturbed training has after each epoch.
    let mut whole = trainer(Settings { epochs: 1, batch: 8, rate: 0.01, ..Settings::default() });
    let mut after = vec![whole.last().clone()];
    for epoch in 1..=EPOCHS {
        whole.set_epochs(epoch);
        whole.train(rows.samples()).unwrap();
        after.push(whole.last().clone());
    }

    let mut random = ChaCha8Rng::seed_from_u64(14);
    let (mut in_a_write, mut midway) = (0, 0);
    for kill in 1..=kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "saving::a_training_to_kill", "--ignored", "--nocapture"])
            .env(PLACE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "begins"), "kill {kill}");
        std::thread::sleep(Duration::from_micros(random.random_range(0..60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        in_a_write += usize::from(folder.path().join("run.safetensors.part").exists());
        if !path.exists() {
            continue;
        }
        let mut resumed = Trainer::load(small_network(), Loss::MeanSquared, &path).unwrap();
        let epoch = resumed.history().len();
        assert!(resumed.last().has_parameters_of(&after[epoch]), "kill {kill}, epoch {epoch}");
        resumed.train(rows.samples()).unwrap();
        assert!(resumed.last().has_parameters_of(&after[EPOCHS]), "kill {kill}, epoch {epoch}");
        assert_eq!(resumed.history(), whole.history(), "kill {kill}, epoch {epoch}");
        if epoch == EPOCHS {
            fs::remove_file(&path).unwrap();
        } else {
            midway += 1;
        }
    }
    println!("{kills} kills, {midway} before the end, {in_a_write} while a file was written");
    assert!(midway >= kills / 2, "{midway} of {kills} before the end");
}
