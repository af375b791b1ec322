//! Every rule of the tables holds, and is applied.
