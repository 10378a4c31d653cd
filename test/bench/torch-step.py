#!/usr/bin/env python3
"""One training step of the networks of networks.ts in PyTorch, for comparison. One JSON line on stdout."""
import argparse, json, resource, statistics, time
import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser()
ap.add_argument('--network', choices=['resnet14', 'mobilenet'], required=True)
ap.add_argument('--repeats', type=int, default=5)
ap.add_argument('--threads', type=int, default=2)
ap.add_argument('--batch', type=int, default=64)
A = ap.parse_args()
torch.manual_seed(0)
torch.set_num_threads(A.threads)


def conv(i, o, k=3, s=1, groups=1, act=None):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Residual(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.a, self.b = conv(i, o, 3, s, act=nn.ReLU), conv(o, o)
        self.skip = conv(i, o, 1, s) if i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.b(self.a(x)) + self.skip(x))


class Inverted(nn.Module):
    def __init__(self, i, o, s, t):
        super().__init__()
        w = i * t
        wide = [conv(i, w, 1, act=nn.ReLU6)] if t > 1 else []
        self.body = nn.Sequential(*wide, conv(w, w, 3, s, groups=w, act=nn.ReLU6), conv(w, o, 1))
        self.adds = s == 1 and i == o

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def resnet14():
    body, c = [conv(3, 16, act=nn.ReLU)], 16
    for stage, o in enumerate((16, 32, 64)):
        for block in (0, 1):
            body.append(Residual(c, o, 2 if block == 0 and stage > 0 else 1))
            c = o
    return body, c


def mobilenet():
    body, c = [conv(3, 16, 3, 2, act=nn.ReLU6)], 16
    for t, o, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 2), (6, 64, 2, 2)):
        for block in range(n):
            body.append(Inverted(c, o, s if block == 0 else 1, t))
            c = o
    return body + [conv(c, 160, 1, act=nn.ReLU6)], 160


body, width = resnet14() if A.network == 'resnet14' else mobilenet()
net = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1))
x, y = torch.randn(A.batch, 3, 64, 64), (torch.arange(A.batch) % 2).float()
optimizer = torch.optim.SGD(net.parameters(), 1e-4, momentum=0.9)


def step(training):
    net.train(training)
    optimizer.zero_grad()
    F.binary_cross_entropy_with_logits(net(x).squeeze(1), y).backward()
    if training:
        optimizer.step()


def seconds(training):
    step(training)
    times = []
    for _ in range(A.repeats):
        start = time.perf_counter()
        step(training)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


print(json.dumps({
    'step': seconds(True),
    'importance': seconds(False) * 2,  # one pass for each loss, as the peer does it
    'peakBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    'version': torch.__version__,
}))
