"""A file that was made to harm, its seal renewed: it is read as it is, or refused in one line."""

import json

import h5py
import numpy as np
import pytest

from bayescale.inference.fit import fit
from bayescale.inference.samplers import NUTS
from bayescale.posterior.files import StorageError, sealed, unsealed
from bayescale.posterior.storage import FORMAT, load, save


@pytest.fixture(scope="module")
def small_fit(make_table):
    """A fit whose file is mostly structure."""
    sampler = NUTS(chains=2, warmup=200, draws=200, retries=0)
    return fit("power", make_table["power"](24), sampler=sampler, seed=1)


@pytest.fixture
def kept(small_fit, tmp_path):
    save(small_fit, tmp_path / "fit.nc", rows=False)
    return tmp_path / "fit.nc"


def change(path, edit):
    """Let `edit` change the open HDF5 file, and renew the seal."""
    path.write_bytes(unsealed(path, FORMAT))
    with h5py.File(path, "a") as file:
        edit(file)
    path.write_bytes(sealed(path.read_bytes(), FORMAT))


def refused(path, said=""):
    with pytest.raises(StorageError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message
    assert len(message) < 1000


def replaced(file, name, **how):
    del file[name]
    return file.create_dataset(name, **how)


def soft(file):
    del file["posterior/alpha"]
    file["posterior/alpha"] = h5py.SoftLink("/posterior/E")


def external_link(file):
    del file["posterior/alpha"]
    file["posterior/alpha"] = h5py.ExternalLink("other.nc", "/posterior/E")


def external_data(file):
    del file["posterior/alpha"]
    where = [("/etc/passwd", 0, 2 * 200 * 8)]
    file.create_dataset("posterior/alpha", shape=(2, 200), dtype="f8", external=where)


def virtual(file):
    layout = h5py.VirtualLayout((2, 200), "f8")
    layout[:] = h5py.VirtualSource("other.nc", "posterior/E", (2, 200))
    del file["posterior/alpha"]
    file.create_virtual_dataset("posterior/alpha", layout)


def objects(file):
    replaced(file, "posterior/alpha", shape=(2, 200), dtype=h5py.ref_dtype)


def vectors(file):
    replaced(file, "posterior/alpha", shape=(2, 200), dtype=h5py.vlen_dtype(np.float64))


def packed(file):
    zeros = np.zeros((2, 200))
    replaced(file, "posterior/alpha", data=zeros, chunks=(2, 200), compression="gzip")


def endless(file):
    replaced(file, "posterior/alpha", shape=(1 << 20, 1 << 20), chunks=(64, 64), dtype="f8")


def single(file):
    replaced(file, "posterior/alpha", data=np.zeros((2, 200), "f4"))


def other_shape(file):
    replaced(file, "posterior/alpha", data=np.zeros((3, 200)))


def texts(file):
    replaced(file, "bayescale/record", data=json.dumps({}))


def group(file):
    del file["posterior/alpha"]
    file.create_group("posterior/alpha")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (soft, "not in the file"),
        (external_link, "not in the file"),
        (external_data, "lies elsewhere"),
        (virtual, "lies elsewhere"),
        (objects, "is of object"),
        (vectors, "is of object"),
        (packed, "packed"),
        (endless, "packed"),
        (texts, "is of object"),
        (single, "is of float32"),
        (other_shape, "shape (3, 200)"),
        (group, "no dataset"),
        (lambda file: file.pop("posterior/alpha"), "not in the file"),
        (lambda file: file.pop("bayescale"), "not in the file"),
    ],
)
def test_what_leads_out_of_the_file_or_is_no_numbers_is_refused(kept, edit, said):
    change(kept, edit)
    refused(kept, said)


def record(kept, edit):
    """Let `edit` change the record, a dictionary, or return another text for it."""

    def rewrite(file):
        found = json.loads(bytes(file["bayescale/record"][()]))
        text = edit(found)
        text = text if isinstance(text, str) else json.dumps(found)
        replaced(file, "bayescale/record", data=np.frombuffer(text.encode(), np.uint8))

    change(kept, rewrite)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "{" * 9, "[" * 200_000, "1" * 9_000, '{"law": "\\ud800"}']
)
def test_a_record_that_is_none_is_refused(kept, text):
    record(kept, lambda found: text)
    refused(kept)


@pytest.mark.parametrize("value", [None, "x", -1, 1e400, [], {}, ["x"], {"x": "y"}, True])
def test_a_record_of_other_types_is_refused_or_read(kept, value):
    """Each entry in turn; what is read can be shown."""
    whole = kept.read_bytes()
    names = json.loads(_text(kept))
    for name in names:
        kept.write_bytes(whole)
        record(kept, lambda found, name=name: found.update({name: value}))
        _read_or_refused(kept)
    for part in ("law", "noise", "data", "sampling"):
        for name in names[part]:
            kept.write_bytes(whole)
            record(kept, lambda found, p=part, name=name: found[p].update({name: value}))
            _read_or_refused(kept)


def _text(path):
    with h5py.File(path, "r") as file:
        return bytes(file["bayescale/record"][()])


def _read_or_refused(path):
    try:
        found = load(path)
    except StorageError:
        return
    json.dumps(found.summary(), allow_nan=False)
    assert str(found)


@pytest.mark.parametrize(
    "name", ["broken(99999999)", "power(floor='no')", "__import__('os')", "x" * 100_000, "fit\n"]
)
def test_a_law_that_is_none_is_refused(kept, name):
    record(kept, lambda found: found["law"].update(name=name))
    refused(kept)


def test_the_verdict_is_of_the_draws_in_the_file(kept, small_fit):
    assert load(kept).health.verdicts == small_fit.health.verdicts

    def apart(file):
        file["posterior/alpha"][1] += 1.0

    change(kept, apart)
    found = load(kept).health
    assert not found.sound
    assert any("chains disagree" in problem for problem in found.verdicts[0].problems)


def damage(content, rng):
    """Return a copy with a bit, some bytes, a run of bytes changed, or bytes from elsewhere."""
    found, at = bytearray(content), int(rng.integers(len(content)))
    kind = rng.integers(4)
    if kind == 0:
        found[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for each in rng.integers(len(found), size=20):
            found[each] = int(rng.integers(256))
    elif kind == 2:
        run = rng.bytes(int(rng.integers(1, 200)))[: len(found) - at]
        found[at : at + len(run)] = run
    else:
        from_ = int(rng.integers(len(found) - 8))
        found[at : at + 8] = found[from_ : from_ + 8][: len(found) - at]
    return bytes(found)


def survives(path, seeds):
    """Return how many damaged copies were read, and how many refused."""
    content, counts = unsealed(path, FORMAT), {"read": 0, "refused": 0}
    for seed in seeds:
        path.write_bytes(sealed(damage(content, np.random.default_rng(seed)), FORMAT))
        try:
            load(path)
            counts["read"] += 1
        except StorageError:
            counts["refused"] += 1
    return counts


@pytest.mark.filterwarnings("ignore")  # numbers of random bits overflow
def test_damages_under_a_renewed_seal(kept):
    counts = survives(kept, range(300))
    assert sum(counts.values()) == 300
    assert counts["refused"] > 20


@pytest.mark.study
@pytest.mark.filterwarnings("ignore")
def test_thousands_of_damages_under_a_renewed_seal(kept):
    assert sum(survives(kept, range(1_000, 6_000)).values()) == 5_000
