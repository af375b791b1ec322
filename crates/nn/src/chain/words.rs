//! The words that explanations use, a sentence each: the same on a terminal and on a page.

/// A word of the explanations, and what it means.
pub const WORDS: [(&str, &str); 8] = [
    (
        "sample, epoch",
        "A sample is an input with the output that it should give; an epoch is one pass of the training over all samples, and \
         epoch 0 is before any.",
    ),
    (
        "parameter",
        "A number that training may change: the weight of an edge, or a bias that is added at a node.",
    ),
    (
        "derivative, ∂L/∂ab",
        "How much the loss L changes when only the weight ab changes a little, divided by that little: if ∂L/∂ab is 100, \
         then ab larger by 0.01 makes L larger by about 1.",
    ),
    (
        "partial, ∂D/∂C",
        "The derivative of one operation alone, with respect to a number that goes straight into it: D = cd·C changes cd \
         times as much as C, so ∂D/∂C = cd.",
    ),
    (
        "chain rule",
        "A change passes along the chain and is multiplied by each partial on its way, so ∂L/∂ab is the product of the \
         partials between ab and L.",
    ),
    (
        "adjoint",
        "The derivative of the loss L with respect to a node of the chain, such as ∂L/∂C: the product of the partials from \
         L back to that node.",
    ),
    (
        "Wengert list",
        "Every operation of the forward pass in the order in which it was computed, each with its value and its partials.",
    ),
    (
        "reverse sweep",
        "One pass over the list from its end to its beginning that multiplies each adjoint by the partials, and so hands \
         it back to what comes before.",
    ),
];
