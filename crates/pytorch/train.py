"""The PyTorch side of the comparison. One process trains one case and prints one line of JSON.

    train.py network DATA HIDDEN BATCH DTYPE MODE EPOCHS TIMED SEED
    train.py chain DTYPE MODE STEPS

MODE is eager or compile. The rows are loaded, scaled and kept as tensors beforehand, and batches are taken from them by
index: there is no data loader in the way. Adam is the fused one, PyTorch's fastest on a CPU. A network is trained with one
thread or with two, whichever a trial shows to be faster: with so little work for each operation, a second thread can cost
more than it does.
"""

import json
import sys
import time

import torch

MOST_THREADS = 2
# How many epochs tell which number of threads is the faster. The first one may compile.
TRIAL = 8


def network(path, hidden, batch, dtype, mode, epochs, timed, seed):
    with open(path) as file:
        rows = json.load(file)
    dtype = getattr(torch, dtype)
    x, test_x = (torch.tensor(rows[name], dtype=dtype) for name in ("inputs", "test_inputs"))
    y, test_y = (torch.tensor(rows[name]) for name in ("classes", "test_classes"))

    def begin(threads):
        torch.set_num_threads(threads)
        # What is compiled is compiled for a number of threads.
        torch.compiler.reset()
        torch.manual_seed(seed)
        layers, width = [], x.shape[1]
        for units in hidden:
            layers += [torch.nn.Linear(width, units, dtype=dtype), torch.nn.ReLU()]
            width = units
        layers.append(torch.nn.Linear(width, int(y.max()) + 1, dtype=dtype))
        model = torch.nn.Sequential(*layers)
        # The same start as on the other side: He's for relu, Glorot's for the logits, no bias.
        for layer in model[:-1:2]:
            torch.nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        torch.nn.init.xavier_uniform_(model[-1].weight)
        for layer in model[::2]:
            torch.nn.init.zeros_(layer.bias)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        cross_entropy = torch.nn.CrossEntropyLoss()

        def loss_of(x, y):
            return cross_entropy(model(x), y)

        if mode == "compile":
            loss_of = torch.compile(loss_of, dynamic=False)

        def epoch():
            for chosen in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                loss_of(x[chosen], y[chosen]).backward()
                optimizer.step()

        return model, epoch

    def trial(threads):
        _, epoch = begin(threads)
        return min(timed_run(epoch) for _ in range(TRIAL))

    threads = min(range(1, MOST_THREADS + 1), key=trial)
    model, epoch = begin(threads)
    seconds = []
    for number in range(epochs):
        taken = timed_run(epoch)
        if number >= epochs - timed:
            seconds.append(taken)
    with torch.no_grad():
        accuracy = (model(test_x).argmax(1) == test_y).double().mean().item()
    return {"seconds": seconds, "accuracy": accuracy, "threads": threads}


def timed_run(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def chain(dtype, mode, steps):
    # Three numbers are never shared among threads.
    torch.set_num_threads(1)
    dtype = getattr(torch, dtype)
    inputs = torch.tensor([3.0, 10.0, 7.0], dtype=dtype)
    targets = torch.tensor([17.0, 200.0, -17.0], dtype=dtype)
    weights = torch.nn.Parameter(torch.tensor([0.7, -1.1, 0.9], dtype=dtype))
    biases = torch.nn.Parameter(torch.zeros(3, dtype=dtype))
    optimizer = torch.optim.Adam([weights, biases], lr=0.01, fused=True)

    def loss_of():
        b = torch.sin(weights[0] * inputs + biases[0])
        c = weights[1] * b + biases[1]
        d = weights[2] * c + biases[2]
        return ((d - targets) ** 2).mean()

    if mode == "compile":
        loss_of = torch.compile(loss_of)

    def run(count):
        start = time.perf_counter()
        for _ in range(count):
            optimizer.zero_grad()
            loss_of().backward()
            optimizer.step()
        return (time.perf_counter() - start) / count

    run(max(steps // 10, 20))
    return {"seconds": [run(steps // 5) for _ in range(5)], "accuracy": 0.0}


what, *rest = sys.argv[1:]
if what == "network":
    path, hidden, batch, dtype, mode, epochs, timed, seed = rest
    hidden = [int(units) for units in hidden.split(",")]
    result = network(path, hidden, int(batch), dtype, mode, int(epochs), int(timed), int(seed))
else:
    dtype, mode, steps = rest
    result = chain(dtype, mode, int(steps))
print(json.dumps({"torch": torch.__version__, **result}))
