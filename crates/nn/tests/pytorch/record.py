"""Records what PyTorch's optimisers, schedulers, losses, clipping and layers do, in float64, for the tests of nn.

    pip install torch==2.15.0
    python crates/nn/tests/pytorch/record.py

writes recorded.json beside itself. Gradients are recorded too, so that the tests check the rules by themselves.
"""

import json
import math
import pathlib

import torch

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
STEPS = 25


def slope(p, step):
    """The derivatives of a bent, non-convex function that changes from step to step."""
    p = p.detach().clone().requires_grad_()
    value = (p * p * torch.tensor([1.0, 30.0, 0.01, 5.0])).sum() + torch.sin(3 * p + step).sum() + p.prod()
    value.backward()
    return p.grad


def trajectory(make, clip=None):
    parameter = torch.nn.Parameter(torch.tensor([1.0, -0.5, 3.0, 0.0]))
    optimizer = make([parameter])
    start, gradients, parameters = parameter.tolist(), [], []
    for step in range(STEPS):
        parameter.grad = slope(parameter, step)
        # One derivative is exactly 0 for a while.
        if step < 5:
            parameter.grad[3] = 0.0
        gradients.append(parameter.grad.tolist())
        if clip is not None:
            clip([parameter])
        optimizer.step()
        parameters.append(parameter.tolist())
    return {"start": start, "gradients": gradients, "parameters": parameters}


def optimizers():
    o = torch.optim
    cases = [
        ("Plain", {}, 0.01, 0.0, lambda p: o.SGD(p, lr=0.01)),
        ("Plain", {}, 0.01, 0.1, lambda p: o.SGD(p, lr=0.01, weight_decay=0.1)),
        ("Momentum", {"decay": 0.9}, 0.003, 0.0, lambda p: o.SGD(p, lr=0.003, momentum=0.9)),
        ("Momentum", {"decay": 0.5}, 0.01, 0.05, lambda p: o.SGD(p, lr=0.01, momentum=0.5, weight_decay=0.05)),
        ("Nesterov", {"decay": 0.9}, 0.003, 0.0, lambda p: o.SGD(p, lr=0.003, momentum=0.9, nesterov=True)),
        ("RmsProp", {"square_decay": 0.99, "epsilon": 1e-8}, 0.01, 0.0, lambda p: o.RMSprop(p, lr=0.01)),
        ("RmsProp", {"square_decay": 0.8, "epsilon": 1e-3}, 0.02, 0.1,
         lambda p: o.RMSprop(p, lr=0.02, alpha=0.8, eps=1e-3, weight_decay=0.1)),
        ("Adam", {"mean_decay": 0.9, "square_decay": 0.999, "epsilon": 1e-8}, 0.01, 0.0, lambda p: o.Adam(p, lr=0.01)),
        ("Adam", {"mean_decay": 0.8, "square_decay": 0.95, "epsilon": 1e-4}, 0.1, 0.02,
         lambda p: o.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.02)),
        ("AdamW", {"mean_decay": 0.9, "square_decay": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}, 0.01, 0.0,
         lambda p: o.AdamW(p, lr=0.01)),
        ("AdamW", {"mean_decay": 0.7, "square_decay": 0.9, "epsilon": 1e-6, "weight_decay": 0.3}, 0.05, 0.0,
         lambda p: o.AdamW(p, lr=0.05, betas=(0.7, 0.9), eps=1e-6, weight_decay=0.3)),
    ]
    return [
        {"optimizer": {name: settings} if settings else name, "rate": rate, "l2": l2, **trajectory(make)}
        for name, settings, rate, l2, make in cases
    ]


def clips():
    sgd = lambda p: torch.optim.SGD(p, lr=0.01)
    norm = lambda p: torch.nn.utils.clip_grad_norm_(p, 2.0)
    # A bound that some of the derivatives keep.
    loose = lambda p: torch.nn.utils.clip_grad_norm_(p, 15.0)
    value = lambda p: torch.nn.utils.clip_grad_value_(p, 1.5)
    return [
        {"clip": {"norm": 2.0}, "rate": 0.01, **trajectory(sgd, norm)},
        {"clip": {"norm": 15.0}, "rate": 0.01, **trajectory(sgd, loose)},
        {"clip": {"value": 1.5}, "rate": 0.01, **trajectory(sgd, value)},
    ]


def rates(make, epochs):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def schedules():
    s = torch.optim.lr_scheduler
    none = {"warm_up": 0.0}
    return [
        {"schedule": {**none, "decay": {"step": {"every": 3, "factor": 0.7}}}, "steps_per_epoch": 1,
         "rates": rates(lambda o: s.StepLR(o, 3, 0.7), 20)},
        {"schedule": {**none, "decay": {"cosine": {"floor": 0.1}}}, "steps_per_epoch": 1,
         "rates": rates(lambda o: s.CosineAnnealingLR(o, 20, 0.1), 20)},
        # LinearLR counts steps here: the first of ten has a tenth of the rate.
        {"schedule": {"warm_up": 2.0, "decay": "constant"}, "steps_per_epoch": 5,
         "rates": rates(lambda o: s.LinearLR(o, 0.1, 1.0, 9), 20)},
        # One after the other: the decay begins at the end of the warm-up.
        {"schedule": {"warm_up": 4.0, "decay": {"step": {"every": 3, "factor": 0.7}}}, "steps_per_epoch": 1,
         "rates": rates(lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.25, 1.0, 3), s.StepLR(o, 3, 0.7)], [4]), 20)},
        {"schedule": {"warm_up": 4.0, "decay": {"cosine": {"floor": 0.1}}}, "steps_per_epoch": 1,
         "rates": rates(
             lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.25, 1.0, 3), s.CosineAnnealingLR(o, 16, 0.1)], [4]), 20)},
    ]


def losses():
    f = torch.nn.functional
    numbers = [[0.3, -1.2, 2.0], [0.0, 0.0, 0.0], [5.0, -5.0, 0.5], [1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]]
    targets = [[0.0, 1.0, 0.0], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]
    known = [
        ("mean-squared", f.mse_loss),
        ("mean-absolute", f.l1_loss),
        ("huber:1", f.huber_loss),
        ("huber:0.25", lambda y, t: f.huber_loss(y, t, delta=0.25)),
        ("cross-entropy", lambda y, t: f.cross_entropy(y[None], t[None])),
        ("binary-cross-entropy", f.binary_cross_entropy_with_logits),
    ]
    cases = []
    for name, loss in known:
        for y in numbers:
            for t in targets:
                outputs = torch.tensor(y, requires_grad=True)
                value = loss(outputs, torch.tensor(t))
                value.backward()
                cases.append({"loss": name, "outputs": y, "targets": t, "value": value.item(),
                              "gradient": outputs.grad.tolist()})
    return cases


def network(layers, inputs, targets, make, loss=torch.nn.functional.mse_loss, steps=5):
    """Steps on all rows at once: the parameters after each, by the names that nn gives them."""
    model = torch.nn.Sequential(*layers)
    numbers = [number for number, layer in enumerate(layers) if not isinstance(layer, torch.nn.Tanh)]

    def parameters():
        named = {}
        for number, layer in enumerate(numbers, 1):
            for name, parameter in layers[layer].named_parameters():
                named[f"layer{number}.{name}"] = parameter.flatten().tolist()
        return named

    optimizer, start, after = make(model.parameters()), parameters(), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        optimizer.step()
        after.append(parameters())
    as_rows = lambda tensor: tensor.to(torch.float64).reshape(len(inputs), -1).tolist()
    return {"inputs": as_rows(inputs), "targets": as_rows(targets), "start": start, "after": after}


SGD = ("Plain", 0.1, lambda p: torch.optim.SGD(p, lr=0.1))
ADAM = ({"Adam": {"mean_decay": 0.9, "square_decay": 0.999, "epsilon": 1e-8}}, 0.01, lambda p: torch.optim.Adam(p, lr=0.01))


def layer_norms():
    inputs, targets = torch.randn(6, 3), torch.randn(6, 2)
    cases = []
    for optimizer, rate, make in [SGD, ADAM]:
        layers = [torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2)]
        # Away from what they start from.
        torch.nn.init.normal_(layers[2].weight)
        torch.nn.init.normal_(layers[2].bias)
        cases.append({"optimizer": optimizer, "rate": rate, **network(layers, inputs, targets, make)})
    return cases


def class_weights():
    inputs, classes = torch.randn(7, 3), torch.tensor([0, 2, 1, 0, 0, 2, 0])
    weights = torch.tensor([0.5, 3.0, 1.25])
    one_hot = torch.nn.functional.one_hot(classes, 3).to(torch.float64)
    loss = torch.nn.CrossEntropyLoss(weight=weights)
    cases = []
    for optimizer, rate, make in [SGD, ADAM]:
        layers = [torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)]
        steps = network(layers, inputs, one_hot, make, lambda y, t: loss(y, t.argmax(1)))
        cases.append({"optimizer": optimizer, "rate": rate, "weights": weights[classes].tolist(), **steps})
    return cases


def embeddings():
    # Four categories and what is unknown, which no row has: the last row of the table stays as it is.
    indices, targets = torch.tensor([0, 2, 1, 0, 0, 3]), torch.randn(6, 2)
    layers = lambda sparse: [torch.nn.Embedding(5, 2, sparse=sparse), torch.nn.Linear(2, 2)]
    cases = [{"optimizer": SGD[0], "rate": SGD[1], **network(layers(False), indices, targets, SGD[2])}]
    # SparseAdam for the table, Adam for what is dense. They add epsilon in different places, so it is next to nothing.
    class Both:
        def __init__(self, parameters):
            table, *others = parameters
            self.all = [torch.optim.SparseAdam([table], lr=0.01, eps=1e-30),
                        torch.optim.Adam(others, lr=0.01, eps=1e-30)]

        def zero_grad(self):
            [optimizer.zero_grad() for optimizer in self.all]

        def step(self):
            [optimizer.step() for optimizer in self.all]

    adam = {"Adam": {**ADAM[0]["Adam"], "epsilon": 1e-30}}
    cases.append({"optimizer": adam, "rate": ADAM[1], **network(layers(True), indices, targets, Both)})
    return cases


def dropouts():
    """Of a step of rate 1 from weights 0: the weights that come of it, in a hundred draws, each value once."""
    cases = []
    for share in [0.2, 0.5, 0.75]:
        values = [set(), set()]
        for _ in range(100):
            layers = [torch.nn.Dropout(share), torch.nn.Linear(2, 1, bias=False)]
            torch.nn.init.zeros_(layers[1].weight)
            steps = network(layers, torch.tensor([[3.0, -0.7]]), torch.tensor([[-0.5]]),
                            lambda p: torch.optim.SGD(p, lr=1.0), steps=1)
            for seen, weight in zip(values, steps["after"][0]["layer2.weight"]):
                seen.add(weight + 0.0)
        cases.append({"share": share, "weights": [sorted(seen) for seen in values]})
    return cases


recorded = {
    "torch": torch.__version__.split("+")[0],
    "optimizers": optimizers(),
    "clips": clips(),
    "schedules": schedules(),
    "losses": losses(),
    "layer_norms": layer_norms(),
    "class_weights": class_weights(),
    "embeddings": embeddings(),
    "dropouts": dropouts(),
}
assert all(math.isfinite(case["value"]) for case in recorded["losses"])
path = pathlib.Path(__file__).with_name("recorded.json")
lines = json.dumps(recorded).replace('{"optimizer"', '\n{"optimizer"').replace('{"loss"', '\n{"loss"').replace('{"share"', '\n{"share"')
path.write_text(lines.replace('{"schedule"', '\n{"schedule"').replace('{"clip"', '\n{"clip"') + "\n")
