//! The words that explanations use, a sentence or two each: the same on a terminal and on a page.

/// A word of the explanations, and what it means. Each stands behind those that its meaning uses.
pub const WORDS: [(&str, &str); 11] = [
    (
        "node, edge, weight",
        "A node is a number of the chain: A, B, C or D. An edge leads from one node to the next and has a number, its weight: \
         B = ab·A, where ab is the weight of the edge from A to B.",
    ),
    (
        "bias, activation",
        "Some chains add a number at a node, its bias, and apply a function to the sum, its activation: B = sin(ab·A + b₀).",
    ),
    (
        "sample, epoch",
        "A sample is an input with the output that it should give, its target; an epoch is one pass of the training over all \
         samples, and epoch 0 is before any.",
    ),
    (
        "loss, mean squared error",
        "The loss L of a sample is the square of how far the last node misses the target: L = (D − target)². The mean squared \
         error, or mean loss, is the mean of L over all samples. Training makes it smaller.",
    ),
    ("parameter", "A number that training may change: a weight or a bias."),
    (
        "derivative, ∂L/∂ab",
        "How much the loss L changes when only the weight ab changes a little, divided by that little: if ∂L/∂ab is 100, \
         then ab larger by 0.01 makes L larger by about 1.",
    ),
    ("gradient", "The derivatives of the loss with respect to all parameters, together."),
    (
        "partial, ∂D/∂C",
        "The derivative of one operation alone, with respect to a number that goes straight into it: D = cd·C changes cd \
         times as much as C, so ∂D/∂C = cd. A number that goes in twice has two partials: v·v has v and v.",
    ),
    (
        "chain rule",
        "A change passes along the chain and is multiplied by each partial on its way, so ∂L/∂ab is the product of the \
         partials between ab and L. Where it takes two ways, as in v·v, their products are added.",
    ),
    (
        "adjoint",
        "The derivative of the loss L with respect to a node, such as ∂L/∂C: the product of the partials from L back to that \
         node. Where two ways lead back, as in L = v·v, it is the sum of their products.",
    ),
    (
        "Wengert list, reverse sweep",
        "The list has every operation of the forward pass in the order in which it was computed, with its value and its \
         partials. The sweep goes over it once, from end to beginning: it multiplies each adjoint by the partials and so hands \
         it back to what comes before, where products that come to the same number are added.",
    ),
];
