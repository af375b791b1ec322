//! The value of an expression: a loop over its steps with a stack of values.

use tape::Real;

use crate::error::EvaluateError;
use crate::expression::{Expression, Step};
use crate::operation::Operation;

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
        self.fold(values, T::from_f64, Operation::apply)
    }

    /// Goes through the expression from its numbers and variables to its result, with values of the caller's kind:
    /// `number` makes one of a number, `operate` one of an operation and the values of its arguments. Operations come
    /// in the order in which [`evaluate`](Self::evaluate) computes them.
    ///
    /// # Errors
    /// The first of `operate`.
    ///
    /// # Panics
    /// When there are fewer `variables` than the expression has.
    ///
    /// ```
    /// use expression::Expression;
    ///
    /// // What is computed, a line for each operation.
    /// let mut lines = Vec::new();
    /// let result = Expression::parse("x*y + sin(x)")?.fold(
    ///     &["x".to_owned(), "y".to_owned()],
    ///     |number| number.to_string(),
    ///     |operation, arguments| {
    ///         let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    ///         lines.push(operation.show(&names));
    ///         Ok::<_, core::convert::Infallible>(format!("v{}", lines.len()))
    ///     },
    /// )?;
    /// assert_eq!(lines, ["x · y", "sin(x)", "v1 + v2"]);
    /// assert_eq!(result, "v3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fold<V: Clone, E>(
        &self,
        variables: &[V],
        number: impl Fn(f64) -> V,
        mut operate: impl FnMut(Operation, &[V]) -> Result<V, E>,
    ) -> Result<V, E> {
        let mut stack: Vec<V> = Vec::new();
        for &step in &self.steps {
            let arguments = stack.len() - step.arity();
            let value = match step {
                Step::Integer(value) => number(f64::from(value)),
                Step::Number(value) => number(value),
                Step::Constant(constant) => number(constant.value),
                Step::Variable(place) => variables[place].clone(),
                step => operate(Operation(step), &stack[arguments..])?,
            };
            stack.truncate(arguments);
            stack.push(value);
        }
        Ok(stack.swap_remove(0))
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
