//! What the partials of an operation are said not to read may hold anything when the sweep comes.
