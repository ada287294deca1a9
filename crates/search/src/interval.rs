//! What a sample says of the whole: exact (Clopper-Pearson) intervals of a rate.
//!
//! The interval of `k` found in `n` looked at lies between the `a/2` quantile of Beta(k, n - k + 1) and the `1 - a/2` quantile of
//! Beta(k + 1, n - k) (Clopper and Pearson, Biometrika 26, 1934). It holds the true rate at least as often as it says. For a sample drawn
//! without putting back it is wider than it need be, never narrower. Main function: [`rate`]. Invariant: `low <= k/n <= high`.

use serde::Serialize;

/// Quantiles are found to this precision.
const PRECISION: f64 = 1e-13;
/// The largest sample that is planned.
const LARGEST: u64 = 10_000_000;

/// A rate with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateInterval {
    /// Found divided by looked at.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval of `found` in `reviewed` at a confidence between 0 and 1; nothing when the numbers cannot belong together.
pub fn rate(found: u64, reviewed: u64, confidence: f64) -> Option<RateInterval> {
    if reviewed == 0 || found > reviewed || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    let (hits, misses) = (found as f64, (reviewed - found) as f64);
    Some(RateInterval {
        rate: hits / (hits + misses),
        low: if found == 0 {
            0.0
        } else {
            quantile(tail, hits, misses + 1.0)
        },
        high: if found == reviewed {
            1.0
        } else {
            quantile(1.0 - tail, hits + 1.0, misses)
        },
    })
}

/// The same as numbers of a whole of `population`, rounded outwards, and never outside of what was seen: at least `found`, and at most
/// all but the misses.
pub fn numbers(interval: RateInterval, found: u64, reviewed: u64, population: u64) -> (u64, u64) {
    let most = population.saturating_sub(reviewed.saturating_sub(found));
    let whole = population as f64;
    let low = (interval.low * whole).floor() as u64;
    let high = (interval.high * whole).ceil() as u64;
    (low.max(found).min(most), high.min(most).max(found))
}

/// The smallest even sample whose interval goes at most `margin` to each side, whatever is found in it; nothing when the margin or the
/// confidence is out of range. It goes farthest above the rate when somewhat less than half of the sample is found, and below it when
/// somewhat more is: the two are mirror images.
pub fn size_for(margin: f64, confidence: f64) -> Option<u64> {
    if !(margin > 0.0 && margin < 1.0 && confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let wide = |half: u64| farthest(half * 2, confidence) > margin;
    let (mut low, mut high) = (0, 1);
    while wide(high) {
        low = high;
        high *= 2;
        if high > LARGEST {
            return None;
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if wide(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high * 2)
}

/// How far an interval of a sample of this size can go above its rate: the distance first grows with what is found, then falls.
fn farthest(size: u64, confidence: f64) -> f64 {
    let above = |found| rate(found, size, confidence).map_or(1.0, |one| one.high - one.rate);
    let (mut low, mut high) = (0, size / 2);
    while high > low {
        let middle = low + (high - low) / 2;
        if above(middle) < above(middle + 1) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    above(low)
}

/// The point below which Beta(a, b) has the share `p`, by bisection: the distribution function only grows.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let scale = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > PRECISION {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if beta_share(middle, a, b, scale) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

/// The regularised incomplete beta function (NIST DLMF 8.17.22, continued fraction by Lentz's method); `scale` is -ln B(a, b).
fn beta_share(x: f64, a: f64, b: f64, scale: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (scale + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    // The fraction converges in about sqrt(max(a, b)) steps where it is used.
    for step in 1..200_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / safe(1.0 + even * d);
        c = safe(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / safe(1.0 + odd * d);
        c = safe(1.0 + odd / c);
        let change = d * c;
        result *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

/// ln of the gamma function for positive arguments: Stirling's series (NIST DLMF 5.11.1) above 15, brought there by recurrence.
fn ln_gamma(value: f64) -> f64 {
    let mut x = value;
    let mut product = 1.0_f64;
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: u64, reviewed: u64, confidence: f64, low: f64, high: f64) {
        let interval = rate(found, reviewed, confidence).expect("an interval");
        let close = |one: f64, other: f64| (one - other).abs() < 1e-6;
        assert!(
            close(interval.low, low) && close(interval.high, high),
            "{found} of {reviewed}: {interval:?}, not {low} to {high}"
        );
    }

    /// The last digits that R prints: `binom.test(682, 925)` is the example of its own manual page (Conover 1971, p. 97 f.).
    #[test]
    fn intervals_are_those_that_r_prints() {
        check(682, 925, 0.95, 0.7076683, 0.7654066);
        check(7, 20, 0.95, 0.1539092, 0.5921885);
        check(0, 10, 0.95, 0.0, 0.3084971);
        check(10, 10, 0.95, 0.6915029, 1.0);
        check(1, 1, 0.95, 0.025, 1.0);
        check(0, 1, 0.90, 0.0, 0.95);
    }

    /// The ends are where the tails of the binomial distribution have half of what is left: summed here term by term.
    #[test]
    fn the_ends_leave_half_of_the_rest_on_each_side() {
        let mut checked = 0;
        for reviewed in [1_u64, 2, 3, 10, 57, 400] {
            for found in [0, 1, reviewed / 3, reviewed / 2, reviewed - 1, reviewed] {
                for confidence in [0.8, 0.95, 0.99] {
                    let interval = rate(found, reviewed, confidence).expect("an interval");
                    let tail = (1.0 - confidence) / 2.0;
                    if found > 0 {
                        let above = 1.0 - at_most(found - 1, reviewed, interval.low);
                        assert!((above - tail).abs() < 1e-9, "{found} of {reviewed}: {above} above");
                        checked += 1;
                    }
                    if found < reviewed {
                        let below = at_most(found, reviewed, interval.high);
                        assert!((below - tail).abs() < 1e-9, "{found} of {reviewed}: {below} below");
                        checked += 1;
                    }
                    assert!(interval.low <= interval.rate && interval.rate <= interval.high);
                }
            }
        }
        assert!(checked > 100, "{checked}");
    }

    /// P(X <= k) for X binomial, by multiplying from term to term.
    fn at_most(k: u64, n: u64, p: f64) -> f64 {
        let mut ln_term = n as f64 * (-p).ln_1p();
        let mut sum = ln_term.exp();
        for i in 1..=k {
            ln_term += ((n - i + 1) as f64 / i as f64).ln() + (p / (1.0 - p)).ln();
            sum += ln_term.exp();
        }
        sum
    }

    #[test]
    fn nothing_and_everything_found_have_closed_forms_also_in_large_samples() {
        for reviewed in [1_u64, 59, 1_000, 2_000_000] {
            let none = rate(0, reviewed, 0.95).expect("an interval");
            let all = rate(reviewed, reviewed, 0.95).expect("an interval");
            let end = -(0.025_f64.ln() / reviewed as f64).exp_m1();
            assert!((none.high - end).abs() < 1e-9, "{none:?} {end}");
            assert_eq!((none.low, all.high), (0.0, 1.0));
            assert!((all.low - (1.0 - end)).abs() < 1e-9, "{all:?}");
        }
    }

    #[test]
    fn numbers_that_cannot_belong_together_have_no_interval() {
        for (found, reviewed, confidence) in [(2, 1, 0.95), (0, 0, 0.95), (0, 5, 1.0), (0, 5, 0.0), (0, 5, f64::NAN)] {
            assert_eq!(rate(found, reviewed, confidence), None);
        }
    }

    #[test]
    fn numbers_lie_within_what_was_seen() {
        let of = |found, reviewed, population| {
            numbers(
                rate(found, reviewed, 0.95).expect("an interval"),
                found,
                reviewed,
                population,
            )
        };
        assert_eq!(of(7, 20, 1_000), (153, 593));
        assert_eq!(of(0, 10, 1_000), (0, 309));
        assert_eq!(of(7, 20, 20), (7, 7));
        assert_eq!(of(10, 10, 12), (10, 12));
        assert_eq!(of(0, 10, 12), (0, 2));
    }

    #[test]
    fn a_planned_sample_is_just_large_enough() {
        for margin in [0.3, 0.1, 0.05, 0.02] {
            let size = size_for(margin, 0.95).expect("a size");
            let widest = |size: u64| {
                let all = (0..=size).map(|found| rate(found, size, 0.95).expect("an interval"));
                all.map(|one| (one.high - one.rate).max(one.rate - one.low))
                    .fold(0.0, f64::max)
            };
            if margin >= 0.05 {
                assert!(widest(size) <= margin, "{margin}: {size}");
                assert!(size == 2 || widest(size - 2) > margin, "{margin}: {size}");
            }
        }
        assert_eq!((size_for(0.0, 0.95), size_for(1e-9, 0.95)), (None, None));
    }
}
