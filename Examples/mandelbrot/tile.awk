# Prints `rows` rows of the picture from row `first` on: for each point how soon it is known not to be in the set.
BEGIN {
    for (row = first; row < first + rows && row < height; row++) {
        for (column = 0; column < width; column++) {
            a = -2.2 + column * 3.2 / width
            b = -1.2 + row * 2.4 / height
            x = 0; y = 0
            for (steps = 0; steps < 255 && x * x + y * y < 4; steps++) {
                next_x = x * x - y * y + a
                y = 2 * x * y + b
                x = next_x
            }
            printf "%d%s", steps, column % 16 == 15 || column == width - 1 ? "\n" : " "
        }
    }
}
