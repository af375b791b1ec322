//! Keeping a part of the rows back, drawn by a seed, for a test on rows that the network has never seen.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::{Dataset, Error};

impl Dataset {
    /// `(rest, part)`: the part is `fraction` of the rows, rounded up, drawn by the seed; both keep the rows' order.
    ///
    /// The same seed draws the same rows on every machine.
    ///
    /// # Errors
    /// [`Error::Fraction`] unless 0 < `fraction` < 1; [`Error::EmptyPart`] when nothing would be left for the rest.
    ///
    /// ```
    /// use nn::data::Dataset;
    /// use tape::Matrix;
    ///
    /// let numbers = Matrix { rows: 10, columns: 1, data: (0..10).map(f64::from).collect() };
    /// let (training, test) = Dataset::new(numbers.clone(), numbers)?.split(0.2, 1)?;
    /// assert_eq!((training.len(), test.len()), (8, 2));
    /// # Ok::<(), nn::data::Error>(())
    /// ```
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        let (rest, part) = split_rows(self.len(), fraction, seed)?;
        Ok((self.rows(&rest), self.rows(&part)))
    }

    /// As [`Dataset::split`], where every class gives its share: for targets that are one-hot.
    ///
    /// A class of n rows gives `fraction`·n rows, rounded down, and the rows that are still missing in the part come
    /// one each from the classes that lost most by the rounding, the first ones where they lost the same (the
    /// largest-remainder method). Every class has at least one row in either part.
    ///
    /// # Errors
    /// As [`Dataset::split`]; [`Error::NotOneHot`]; [`Error::SingleRow`] for a class with one row;
    /// [`Error::FewerRowsThanClasses`] when a part is too small to have a row of every class.
    pub fn split_stratified(&self, fraction: f64, seed: u64) -> Result<(Self, Self), Error> {
        let size = part_size(fraction, self.len())?;
        let strata = self.strata()?;
        let (rest, part) = stratified(strata, fraction, size, seed, Fewest::One)?;
        Ok((self.rows(&rest), self.rows(&part)))
    }

    /// The rows of each class that has any.
    fn strata(&self) -> Result<Vec<Vec<usize>>, Error> {
        let mut strata = vec![Vec::new(); self.targets.columns];
        for row in 0..self.len() {
            let class = hot(self.targets.row(row)).ok_or(Error::NotOneHot { row })?;
            strata[class].push(row);
        }
        for (rows, class) in strata.iter().zip(&self.target_names) {
            if rows.len() == 1 {
                return Err(Error::SingleRow { class: class.clone() });
            }
        }
        strata.retain(|rows| !rows.is_empty());
        Ok(strata)
    }
}

/// `(rest, part)` of so many rows, as [`Dataset::split`] splits them: the numbers of the rows, counted from 0.
///
/// # Errors
/// As [`Dataset::split`].
///
/// ```
/// let (training, test) = nn::data::split_rows(10, 0.2, 1)?;
/// assert_eq!((training.len(), test.len()), (8, 2));
/// # Ok::<(), nn::data::Error>(())
/// ```
pub fn split_rows(
    rows: usize,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let size = part_size(fraction, rows)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Ok(parted(rows, drawn((0..rows).collect(), size, &mut random)))
}

/// `(rest, part)` of rows with these classes, as [`Dataset::split_stratified`] splits them; but where a class has one row
/// only, or the part has fewer rows than there are classes, it makes do: the rest has a row of every class, and the
/// part may have none of some.
///
/// # Errors
/// As [`Dataset::split`]; [`Error::FewerRowsThanClasses`] when the rest would have fewer rows than there are classes.
///
/// ```
/// // The only row of class 1 is for the training.
/// let (training, test) = nn::data::split_rows_by_class(&[0, 0, 0, 1, 0], 0.25, 1)?;
/// assert!(training.contains(&3));
/// # Ok::<(), nn::data::Error>(())
/// ```
pub fn split_rows_by_class(
    classes: &[usize],
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let size = part_size(fraction, classes.len())?;
    let mut strata: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &class) in classes.iter().enumerate() {
        strata.entry(class).or_default().push(row);
    }
    let strata: Vec<Vec<usize>> = strata.into_values().collect();
    let is_rich = size >= strata.len() && strata.iter().all(|rows| rows.len() > 1);
    let fewest = if is_rich { Fewest::One } else { Fewest::None };
    stratified(strata, fraction, size, seed, fewest)
}

/// How many rows of a class a part has at least.
#[derive(Clone, Copy)]
enum Fewest {
    None = 0,
    One = 1,
}

fn stratified(
    mut strata: Vec<Vec<usize>>,
    fraction: f64,
    size: usize,
    seed: u64,
    fewest: Fewest,
) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
    let shares = shares(&sizes, fraction, size, fewest as usize)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let part = strata.iter_mut().zip(shares);
    let part = part.flat_map(|(rows, share)| drawn(core::mem::take(rows), share, &mut random));
    Ok(parted(sizes.iter().sum(), part.collect()))
}

fn parted(rows: usize, mut part: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    part.sort_unstable();
    let rest = (0..rows).filter(|row| part.binary_search(row).is_err()).collect();
    (rest, part)
}

/// How many rows the part has.
#[expect(clippy::cast_sign_loss, reason = "a part of the rows is positive")]
fn part_size(fraction: f64, rows: usize) -> Result<usize, Error> {
    // NaN is refused too.
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::Fraction { fraction });
    }
    // 0.07·100 is 7.000000000000001 in `f64`, and the next whole number is 7 all the same.
    let exact = fraction * rows as f64;
    let size = (exact * (1.0 - 4.0 * f64::EPSILON)).ceil() as usize;
    if size == 0 || size >= rows { Err(Error::EmptyPart { fraction, rows }) } else { Ok(size) }
}

/// How many rows each class gives to the part.
#[expect(clippy::cast_sign_loss, reason = "a part of the rows is positive")]
fn shares(sizes: &[usize], fraction: f64, part: usize, fewest: usize) -> Result<Vec<usize>, Error> {
    let classes = sizes.len();
    let rest = sizes.iter().sum::<usize>() - part;
    let smaller = if fewest > 0 { part.min(rest) } else { rest };
    if smaller < classes {
        return Err(Error::FewerRowsThanClasses { part: smaller, classes });
    }
    let quotas: Vec<f64> = sizes.iter().map(|&size| fraction * size as f64).collect();
    let rounded = |(&size, &quota): (&usize, &f64)| (quota as usize).clamp(fewest, size - 1);
    let mut shares: Vec<usize> = sizes.iter().zip(&quotas).map(rounded).collect();
    // What each class still lacks. Only classes that stay on both sides may give more, or less.
    let lack = |shares: &[usize], class: usize| quotas[class] - shares[class] as f64;
    loop {
        let given: usize = shares.iter().sum();
        if given == part {
            return Ok(shares);
        }
        let more = given < part;
        let candidates =
            (0..classes)
                .filter(|&class| {
                    if more { shares[class] < sizes[class] - 1 } else { shares[class] > fewest }
                })
                .map(|class| (class, lack(&shares, class) * if more { 1.0 } else { -1.0 }));
        // The first of the largest. There is a candidate, for the part holds at least a row of every class and at most
        // all but one of each.
        let (class, _) = candidates
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .expect("a class can give");
        if more { shares[class] += 1 } else { shares[class] -= 1 }
    }
}

/// So many of the rows, by chance.
fn drawn(mut rows: Vec<usize>, size: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
    rows.shuffle(random);
    rows.truncate(size);
    rows
}

/// The place of the 1 in a row of zeros.
fn hot(row: &[f64]) -> Option<usize> {
    let class = row.iter().position(|&entry| entry == 1.0)?;
    let others = row.iter().enumerate().filter(|&(place, _)| place != class);
    others.map(|(_, &entry)| entry).all(|entry| entry == 0.0).then_some(class)
}
