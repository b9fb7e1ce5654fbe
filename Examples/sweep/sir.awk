# Steps the SIR model: beta is the rate of infection, gamma that of recovery, a thousandth of a per cent is ill at first.
BEGIN {
    if (!(beta > 0 && gamma > 0)) {
        print "sir.awk: beta and gamma must be positive" > "/dev/stderr"
        exit 1
    }
    step = 0.02
    ill = 0.00001
    well = 1 - ill
    printf "beta %s, gamma %s, steps of %s days\n", beta, gamma, step
    for (day = 0; ill > 0.0000001 && day < 2000; day += step) {
        infected = beta * well * ill * step
        recovered = gamma * ill * step
        well -= infected
        ill += infected - recovered
        if (ill > peak) {
            peak = ill
            peak_day = day
        }
    }
    printf "over after %.0f days\n", day
    printf "RESULT\t%s\t%s\t%.4f\t%.1f\t%.4f\n", beta, gamma, peak, peak_day, 1 - well
}
