//! The same finding from fewer bytes.

/// Takes blocks away, then makes bytes plain, as long as `still` says that the finding is there and `more` that there is time.
pub(crate) fn shrink(input: &[u8], still: &mut dyn FnMut(&[u8]) -> bool, more: &dyn Fn() -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut size = best.len().next_power_of_two() / 2;
    while size > 0 {
        let mut at = 0;
        let before = best.len();
        while at < best.len() {
            if !more() {
                return best;
            }
            let mut shorter = best.clone();
            shorter.drain(at..(at + size).min(best.len()));
            if still(&shorter) {
                best = shorter;
            } else {
                at += size;
            }
        }
        if size == 1 && best.len() < before {
            continue;
        }
        size /= 2;
    }
    for at in 0..best.len().min(4096) {
        for plain in [0, b'a', b' '] {
            if !more() {
                return best;
            }
            if best[at] == plain {
                break;
            }
            let mut plainer = best.clone();
            plainer[at] = plain;
            if still(&plainer) {
                best = plainer;
                break;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_stays_and_the_rest_goes() {
        let input = b"a long text in which X and then Y matter, and nothing else does at all".repeat(3);
        let mut still = |bytes: &[u8]| {
            let first = bytes.iter().position(|byte| *byte == b'X');
            first.is_some_and(|at| bytes[at..].contains(&b'Y'))
        };
        assert_eq!(shrink(&input, &mut still, &|| true), b"XY");
    }
}
