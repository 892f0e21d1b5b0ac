import pytest

from imgsearch.lab.experiments.noise import NOISE, run
from imgsearch.lab.finding import Lab


@pytest.mark.slow
def test_the_denoising_network_denoises_better_and_copies_worse(lab: Lab) -> None:
    figures = run(lab).figures
    noisy, clean = figures["squared_error_of_noisy"], figures["squared_error_of_clean"]
    assert noisy["nothing"] == pytest.approx(64 * NOISE**2, rel=0.05)
    assert noisy["denoising"] < noisy["plain"] < 0.3 * noisy["nothing"]
    assert clean["plain"] < clean["denoising"]
