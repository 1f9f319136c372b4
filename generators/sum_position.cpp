#include "generators/sum_position.hpp"

#include "lamina/shapes.hpp"

namespace lamina {

namespace {

using Halide::Expr;

// Tiles of `size` neighbouring positions go through a strip of rows of the output, the last one beyond its
// end where they do not divide it. Positions there, whose sums nobody stores, look where the last one does.
class Tiles {
public:
    Tiles(const Problem& p, int size, int rows)
        : size_(size), width_(output_shape(p).width), count_(rows * width_) {}

    struct Place {
        Expr x, y; // within the strip
    };

    // Of position number `k` of a tile. Halide does not find out by itself that the positions of tiles that
    // divide a row, or consist of rows, are neighbours in them: it leaves a remainder for each of them, and
    // so an address.
    Place place(const Expr& tile, const Expr& k) const {
        if (width_ % size_ == 0)
            return {tile % (width_ / size_) * size_ + k, tile / (width_ / size_)};
        if (size_ % width_ == 0)
            return {k % width_, inside(tile * (size_ / width_) + k / width_, count_ / width_)};
        const Expr position = inside(tile * size_ + k, count_);
        return {position % width_, position / width_};
    }

    Expr first_row(const Expr& tile) const { return tile * size_ / width_; }
    Expr last_row(const Expr& tile) const { return (min(tile * size_ + size_, count_) - 1) / width_; }

private:
    int size_, width_, count_; // of positions

    Expr inside(const Expr& number, int count) const {
        return count_ % size_ == 0 ? number : min(likely(number), count - 1);
    }
};

} // namespace

SumPosition sum_position(const Stages& a, const Problem& p, const AlgorithmRequest& request) {
    if (!request.is_linear)
        return {{a.c, a.x, a.y, a.n}, {a.c, a.x, a.y, a.n}, a.x, a.y};
    const Shape out = output_shape(p);
    const int rows = request.strip_rows > 0 ? request.strip_rows : out.height, size = request.tile_positions;
    const Expr above = a.y * rows; // of the strips before
    if (size == 0)
        return {{a.c, a.p, a.y, a.n}, {a.c, a.p, a.y, a.n}, a.p % out.width, above + a.p / out.width};
    const Tiles tiles(p, size, rows);
    const auto [x, y] = tiles.place(a.x, a.p);
    return {{a.c, a.p, a.x, a.y, a.n},
            {a.c, a.p % size, a.p / size, a.y, a.n},
            x,
            above + y,
            above + tiles.first_row(a.x),
            above + tiles.last_row(a.x)};
}

} // namespace lamina
