//! Keeping a part of the rows back, drawn by a seed, for a test on rows that the network has never seen.

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
        let size = part_size(fraction, self.len())?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Ok(self.parted(drawn((0..self.len()).collect(), size, &mut random)))
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
        let mut strata = self.strata()?;
        let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
        let shares = shares(&sizes, fraction, size)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let part = strata.iter_mut().zip(shares);
        let part = part.flat_map(|(rows, share)| drawn(core::mem::take(rows), share, &mut random));
        Ok(self.parted(part.collect()))
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

    fn parted(&self, mut part: Vec<usize>) -> (Self, Self) {
        part.sort_unstable();
        let rest: Vec<usize> =
            (0..self.len()).filter(|row| part.binary_search(row).is_err()).collect();
        (self.rows(&rest), self.rows(&part))
    }
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
fn shares(sizes: &[usize], fraction: f64, part: usize) -> Result<Vec<usize>, Error> {
    let classes = sizes.len();
    let smaller = part.min(sizes.iter().sum::<usize>() - part);
    if smaller < classes {
        return Err(Error::FewerRowsThanClasses { part: smaller, classes });
    }
    let quotas: Vec<f64> = sizes.iter().map(|&size| fraction * size as f64).collect();
    let rounded = |(&size, &quota): (&usize, &f64)| (quota as usize).clamp(1, size - 1);
    let mut shares: Vec<usize> = sizes.iter().zip(&quotas).map(rounded).collect();
    // What each class still lacks. Only classes that stay on both sides may give more, or less.
    let lack = |shares: &[usize], class: usize| quotas[class] - shares[class] as f64;
    loop {
        let given: usize = shares.iter().sum();
        if given == part {
            return Ok(shares);
        }
        let more = given < part;
        let candidates = (0..classes)
            .filter(
                |&class| if more { shares[class] < sizes[class] - 1 } else { shares[class] > 1 },
            )
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
