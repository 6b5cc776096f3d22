# SPDX-License-Identifier: MIT
"""Figures: samples that are taken in turns, their statistics, and the targets that they are held
against."""
import dataclasses
import statistics


def interleave(rounds, variants, measure):
    """Name to samples: in each round every variant is measured once, each round begins with the
    next one, so that what else the machine does meets all of them."""
    names = list(variants)
    samples = {name: [] for name in names}
    for number in range(rounds):
        for at in range(len(names)):
            name = names[(number + at) % len(names)]
            samples[name].append(measure(name, variants[name]))
    return samples


def counted(count, what):
    """As "1 service", "1,000 services"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def quartiles(samples):
    """The first and the third; of one sample, itself."""
    if len(samples) == 1:
        return samples[0], samples[0]
    first, _, third = statistics.quantiles(samples, method="inclusive")
    return first, third


@dataclasses.dataclass
class Target:
    """What is to be reached, in words, and what was measured of it."""

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
    """One line of the table.  The ratio is to the variant `of`: the median over the rounds."""

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
    """A row for each variant; samples is name to samples, taken by interleave().  Ratios are to
    the variant `of`, those of one round to each other."""
    rows = {}
    for name, mine in samples.items():
        ratios = None if name == of else [one / its for one, its in zip(mine, samples[of])]
        rows[name] = Row(what, name, unit, mine, of, ratios)
    return rows


@dataclasses.dataclass
class Curve:
    """A chart of lines: name to points."""

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
