# SPDX-License-Identifier: MIT
"""Figures: samples taken in turns, their statistics, and their targets."""
import dataclasses
import statistics


def interleave(rounds, variants, measure):
    """Returns the samples by name.  Each round measures every variant once, and begins with the
    next one.  So a disturbance of the machine hits all variants."""
    names = list(variants)
    samples = {name: [] for name in names}
    for number in range(rounds):
        for at in range(len(names)):
            name = names[(number + at) % len(names)]
            samples[name].append(measure(name, variants[name]))
    return samples


def counted(count, what):
    """Returns for example "1 service", "1,000 services"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def quartiles(samples):
    """Returns the first and the third quartile; for one sample, itself."""
    if len(samples) == 1:
        return samples[0], samples[0]
    first, _, third = statistics.quantiles(samples, method="inclusive")
    return first, third


@dataclasses.dataclass
class Target:
    """A target in words, and the measured value."""

    text: str
    measured: float
    at_most: float = None
    at_least: float = None

    @property
    def reached(self):
        if self.at_most is not None:
            return self.measured <= self.at_most
        return self.measured >= self.at_least


@dataclasses.dataclass
class Row:
    """One line of the table.  The ratio to the variant `of` is the median over the rounds."""

    what: str
    variant: str
    unit: str
    samples: list
    of: str = None
    ratios: list = None
    target: Target = None

    @property
    def median(self):
        return statistics.median(self.samples)

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    def aim(self, text, measured, **limit):
        self.target = Target(text, measured, **limit)
        return self

    def as_json(self):
        low, high = quartiles(self.samples)
        fields = {
            "what": self.what,
            "variant": self.variant,
            "unit": self.unit,
            "median": self.median,
            "quartiles": [low, high],
            "least": min(self.samples),
            "most": max(self.samples),
            "samples": len(self.samples),
        }
        if self.ratios:
            fields |= {"of": self.of, "ratio": self.ratio}
            fields |= {"ratio_quartiles": quartiles(self.ratios)}
        if self.target:
            fields["target"] = {
                "text": self.target.text,
                "measured": self.target.measured,
                "reached": self.target.reached,
            }
        return fields


def compare(what, unit, samples, of):
    """Returns a row for each variant.  `samples` is samples by name, from interleave().  Ratios
    compare samples of the same round with those of the variant `of`."""
    rows = {}
    for name, mine in samples.items():
        ratios = None if name == of else [one / its for one, its in zip(mine, samples[of])]
        rows[name] = Row(what, name, unit, mine, of, ratios)
    return rows


@dataclasses.dataclass
class Curve:
    """A chart of lines: points by name."""

    name: str
    title: str
    x: str
    y: str
    lines: dict
    log: bool = False


@dataclasses.dataclass
class Result:
    rows: list
    curves: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
