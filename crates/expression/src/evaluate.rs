//! The value of an expression: a loop over its steps with a stack of values.

use tape::{Op, Real};

use crate::error::EvaluateError;
use crate::expression::{Expression, Step};

impl Expression {
    /// The value with the variables at `values`, in the order of [`variables`](Self::variables).
    ///
    /// # Errors
    /// [`EvaluateError::ValueCount`] when there are not as many values as variables, [`EvaluateError::EmptyRange`] when
    /// a `clamp` in it has no number between its bounds.
    ///
    /// ```
    /// use expression::Expression;
    /// use tape::Dual;
    ///
    /// let square = Expression::parse("x^2")?;
    /// assert_eq!(square.evaluate(&[3.0])?, 9.0);
    /// assert_eq!(square.evaluate(&[Dual::new(3.0, 1.0)])?.tangent, 6.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate<T: Real>(&self, values: &[T]) -> Result<T, EvaluateError> {
        if values.len() != self.variables.len() {
            return Err(EvaluateError::ValueCount {
                expected: self.variables.len(),
                found: values.len(),
            });
        }
        let mut stack: Vec<T> = Vec::new();
        for &step in &self.steps {
            let arguments = stack.len() - step.arity();
            let value = value_of(step, &stack[arguments..], values)?;
            stack.truncate(arguments);
            stack.push(value);
        }
        Ok(stack[0])
    }

    /// The value with each variable at the value given with its name: pairs in any order, a map of names for instance.
    /// Names that are no variables of this expression are passed over, so that one set of values serves several.
    ///
    /// # Errors
    /// [`EvaluateError::MissingValue`] and [`EvaluateError::RepeatedValue`] when a variable has not just one value, and
    /// as [`evaluate`](Self::evaluate).
    ///
    /// ```
    /// use expression::{EvaluateError, Expression};
    ///
    /// let ratio = Expression::parse("a/b")?;
    /// assert_eq!(ratio.evaluate_named([("b", 4.0), ("a", 1.0), ("c", 0.0)])?, 0.25);
    ///
    /// let map = indexmap::IndexMap::from([("a", 1.0)]);
    /// assert_eq!(ratio.evaluate_named(map), Err(EvaluateError::MissingValue { name: "b".into() }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate_named<T: Real, N: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = (N, T)>,
    ) -> Result<T, EvaluateError> {
        let mut by_place: Vec<Option<T>> = vec![None; self.variables.len()];
        for (name, value) in values {
            let name = name.as_ref();
            if let Some(place) = self.variables.get_index_of(name)
                && by_place[place].replace(value).is_some()
            {
                return Err(EvaluateError::RepeatedValue { name: name.into() });
            }
        }
        let values: Vec<T> = self
            .variables
            .keys()
            .zip(by_place)
            .map(|(name, value)| {
                value.ok_or_else(|| EvaluateError::MissingValue { name: name.clone() })
            })
            .collect::<Result<_, _>>()?;
        self.evaluate(&values)
    }
}

fn value_of<T: Real>(step: Step, arguments: &[T], variables: &[T]) -> Result<T, EvaluateError> {
    Ok(match step {
        Step::Integer(value) => T::from_f64(f64::from(value)),
        Step::Number(value) => T::from_f64(value),
        Step::Constant(constant) => T::from_f64(constant.value),
        Step::Variable(place) => variables[place],
        Step::Powi(n) => arguments[0].powi(n),
        Step::Polygamma(n) => arguments[0].polygamma(n),
        Step::Apply(op) => {
            if op == Op::Clamp {
                check_range(arguments[1].primal(), arguments[2].primal())?;
            }
            op.apply(arguments)
        }
    })
}

/// `f64::clamp` panics without such a range, and a text must not make its reader panic.
fn check_range(low: f64, high: f64) -> Result<(), EvaluateError> {
    if low <= high { Ok(()) } else { Err(EvaluateError::EmptyRange { low, high }) }
}
