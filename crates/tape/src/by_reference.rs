//! An operator's forms by reference, from that by value; and with a plain number beside numbers of numbers.

macro_rules! by_reference {
    ([$($generics:tt)*] $Left:ty, $Right:ty; $Trait:ident $name:ident $symbol:tt) => {
        impl<$($generics)*> $Trait<&$Right> for $Left {
            type Output = <$Left as $Trait<$Right>>::Output;

            #[inline(always)]
            #[track_caller]
            fn $name(self, other: &$Right) -> Self::Output {
                self $symbol *other
            }
        }

        impl<$($generics)*> $Trait<$Right> for &$Left {
            type Output = <$Left as $Trait<$Right>>::Output;

            #[inline(always)]
            #[track_caller]
            fn $name(self, other: $Right) -> Self::Output {
                *self $symbol other
            }
        }

        impl<$($generics)*> $Trait<&$Right> for &$Left {
            type Output = <$Left as $Trait<$Right>>::Output;

            #[inline(always)]
            #[track_caller]
            fn $name(self, other: &$Right) -> Self::Output {
                *self $symbol *other
            }
        }
    };
}
pub(crate) use by_reference;

/// A plain `f64` on either side of a nested number.
macro_rules! nested {
    ($Trait:ident $name:ident $symbol:tt; $([$($generics:tt)*] $Outer:ident($Inner:ty)),*) => {$(
        impl<$($generics)*> $Trait<f64> for $Outer<$Inner> {
            type Output = Self;

            #[inline(always)]
            #[track_caller]
            fn $name(self, number: f64) -> Self {
                self $symbol <$Inner>::from_f64(number)
            }
        }

        impl<$($generics)*> $Trait<$Outer<$Inner>> for f64 {
            type Output = $Outer<$Inner>;

            #[inline(always)]
            #[track_caller]
            fn $name(self, other: $Outer<$Inner>) -> $Outer<$Inner> {
                $Outer::<$Inner>::from_f64(self) $symbol other
            }
        }
    )*};
}
pub(crate) use nested;
