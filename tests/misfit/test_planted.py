"""Curves with faults planted in them: what is no law is refused or told, what is one is not."""

import pandas as pd

import bayescale as bs

REFUSED = {"rising", "U-shape", "bad last 4 (loss spike)", "x equal to 1e-9", "x equal to 1e-3"}
TOLD = {
    "5-.2 ln x": "pattern",
    "step 3 to 2": "pattern",
    "AR(1) .95": "pattern",
    "half of x in millions": "pattern",
    "one x unit wrong (x1e3 in last row)": "far",
    "one y x100": "far",
    "8 copies of 2 rows+noise": "scales",
}
QUIET = {"control", "constant y", "no noise", "pure noise", "no floor", "exponent .003"}


def test_planted_faults_are_refused_or_told_and_what_is_no_fault_is_not(data_dir):
    frame = pd.read_csv(data_dir / "cases" / "fault_plant_power.csv")
    assert set(frame.case) > REFUSED | set(TOLD) | QUIET
    data = bs.from_frame(
        frame[frame.case.isin(REFUSED | set(TOLD) | QUIET)], x="x", y="y", curve="case"
    )
    quick = bs.NUTS(chains=2, warmup=500, draws=500, retries=0)
    looks = {name: one.health.verdicts[0].fit for name, one in bs.fit("power", data, sampler=quick)}
    kinds = {name: {note.kind for note in look.notes} for name, look in looks.items()}
    for name in REFUSED:
        assert not looks[name].sound, name
    for name, kind in TOLD.items():
        assert kind in kinds[name] or not looks[name].sound, (name, kinds[name])
    for name in QUIET:
        assert looks[name].sound, (name, looks[name].problems)
        assert not kinds[name], (name, looks[name].notes)
