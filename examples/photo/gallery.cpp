#include "gallery.hpp"

#include "filters.hpp"
#include "photo.hpp"
#include "pictures.hpp"

#include <cstdio>

namespace photo {
namespace {

std::vector<Image> channels(Map map) {
    std::vector<Image> images;
    for (int c = 0; c < filter_count; ++c)
        images.push_back(channel(map, c));
    return images;
}

Image smaller(const Image& image, int divisor) {
    return resized(image, image.height / divisor, image.width / divisor);
}

// What each layer sees: its channels in rows of four, in the filters' order.
Image edge_maps(Map map) {
    std::vector<Image> images = channels(map);
    for (Image& image : images)
        image = smaller(image, 2);
    return grid(images, 4);
}

Image pooled_maps(Map map) {
    std::vector<Image> images = channels(map);
    for (Image& image : images)
        image = magnified(image, 2);
    return grid(images, 4);
}

// A column per filter: cross-correlation, true convolution, their difference.
Image comparison(Map correlation, Map convolution) {
    std::vector<Image> images;
    for (Map map : {correlation, convolution})
        for (int c = 0; c < filter_count; ++c)
            images.push_back(smaller(channel(map, c), 3));
    for (int c = 0; c < filter_count; ++c)
        images.push_back(smaller(signed_difference(correlation, convolution, c), 3));
    return grid(images, filter_count);
}

// Three sevenths of the width and the height, a little above the middle, where portraits have their face.
pictures::Rectangle middle_part(const Image& image) {
    return {image.height / 6, image.width * 2 / 7, image.height * 3 / 7, image.width * 3 / 7};
}

Image overview(Map picture, const StackResult& correlation, const StackResult& convolution) {
    Image images[] = {colours(picture), colours(correlation.smoothed), hues(correlation.edges),
                      magnified(hues(correlation.pooled), 4),
                      signed_difference(correlation.edges, convolution.edges, 0)};
    for (Image& image : images)
        image = cropped(image, middle_part(image));
    return grid(images, static_cast<int>(std::size(images)));
}

} // namespace

std::string write_gallery(const std::filesystem::path& folder, Map picture, const StackResult& correlation,
                          const StackResult& convolution) {
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (problem)
        return folder.string() + ": cannot be made: " + problem.message();
    const struct {
        const char* name;
        const char* meaning;
        Image image;
    } pictures[] = {
        {"overview.png",
         "input, smoothed, edges, pooled edges, correlation minus convolution; the middle part",
         overview(picture, correlation, convolution)},
        {"input.png", "what the networks read", colours(picture)},
        {"smoothed.png", "after the first layer", colours(correlation.smoothed)},
        {"edges_correlation.png", "the eight edge maps by cross-correlation", edge_maps(correlation.edges)},
        {"edges_convolution.png", "the same kernel, by true convolution", edge_maps(convolution.edges)},
        {"pooled.png", "the largest of each 4 x 4 values of edges_correlation.png",
         pooled_maps(correlation.pooled)},
        {"comparison.png",
         "a filter a column: correlation, convolution, difference (red: correlation is larger)",
         comparison(correlation.edges, convolution.edges)},
    };
    std::printf("\npictures in %s\n", std::filesystem::absolute(folder).lexically_normal().c_str());
    for (const auto& [name, meaning, image] : pictures) {
        if (const std::string error = save_png(folder / name, image); !error.empty())
            return error;
        std::printf("  %-22s %s\n", name, meaning);
    }
    return "";
}

} // namespace photo
