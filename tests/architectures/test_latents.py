import numpy as np
import pytest
import torch
from scipy import stats

from facesmith.architectures import DiscriminatorPart, GeneratorPart, ImageShape, Latent
from facesmith.base.errors import UsageError
from facesmith.base.randomness import uniforms


def draw(latent, count=4000, start=0):
    drawn = uniforms(0, "latents", start=start, count=count, width=latent.size)
    return latent.from_uniforms(drawn)


@pytest.mark.parametrize(
    "law, reference", [("normal", stats.norm()), ("uniform", stats.uniform(-1, 2))]
)
def test_latents_follow_their_law(law, reference):
    z = draw(Latent(8, law))
    assert z.dtype == torch.float32
    assert stats.kstest(z.flatten().numpy(), reference.cdf).pvalue > 1e-3
    assert z.mean().item() == pytest.approx(0, abs=0.03)
    assert z.std().item() == pytest.approx(reference.std(), rel=0.02)
    # Numbers of one latent are independent.
    correlations = np.corrcoef(z.numpy().T) - np.eye(8)
    assert abs(correlations).max() < 0.08


@pytest.mark.parametrize("size", [1, 2, 100])
def test_latents_on_the_sphere_have_its_radius_and_every_direction(size):
    z = draw(Latent(size, "sphere"))
    torch.testing.assert_close(z.norm(dim=1), torch.full((4000,), size**0.5))
    assert z.mean(0).abs().max() < 5 * 4000**-0.5
    assert z.std().item() == pytest.approx(1, rel=0.02)
    if size == 2:
        angles = np.arctan2(*z.numpy().T)
        assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


@pytest.mark.parametrize("law", ["normal", "uniform", "sphere"])
def test_a_batch_of_latents_may_be_cut_anywhere(law):
    latent = Latent(7, law)
    whole = draw(latent, 10, start=100)
    torch.testing.assert_close(whole[:3], draw(latent, 3, start=100), rtol=0, atol=0)
    torch.testing.assert_close(whole[3:], draw(latent, 7, start=103), rtol=0, atol=0)


@pytest.mark.parametrize("law", ["normal", "uniform", "sphere"])
def test_the_ends_of_the_unit_interval_give_finite_latents(law):
    ends = np.array([[2.0**-54, 1 - 2.0**-53]])
    z = Latent(2, law).from_uniforms(ends)
    assert z.isfinite().all()
    assert z[0, 0] < 0 < z[0, 1]


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_latent_is_refused(size):
    with pytest.raises(UsageError, match=f"latent.size was given {size}"):
        Latent(size)


def test_a_part_without_networks_says_what_is_missing():
    with pytest.raises(TypeError, match="GeneratorPart must define build"):
        GeneratorPart().build(ImageShape(16), latent_size=3)
    with pytest.raises(TypeError, match="DiscriminatorPart must define build"):
        DiscriminatorPart().build(ImageShape(16))
