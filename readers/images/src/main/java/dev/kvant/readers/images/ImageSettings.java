package dev.kvant.readers.images;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How an image becomes a tensor.
 *
 * @param size the height and width to scale to, or the length of the shorter side alone
 * @param crop the height and width of the middle that is kept then; null to keep all
 * @param interpolation how to scale
 * @param mean what is subtracted from each channel, on a scale of 0 to 1; one value for grey images
 * @param std what each channel is divided by then
 * @param channelsFirst whether channels come before height and width
 * @param type the element type of the tensor
 */
record ImageSettings(
    List<Integer> size,
    @Nullable List<Integer> crop,
    Interpolation interpolation,
    List<Double> mean,
    List<Double> std,
    boolean channelsFirst,
    ElementType type) {

  private static final String SIZE = "images.size";
  private static final String CROP = "images.crop";
  private static final String MEAN = "images.mean";
  private static final String STD = "images.std";
  private static final String LAYOUT = "images.layout";
  private static final String INTERPOLATION = "images.interpolation";

  private static final String ONE_OR_THREE =
      "must have one value for grey images or three for colours, but has ";

  static final List<OptionDescriptor> OPTIONS =
      List.of(
          OptionDescriptor.of(
              SIZE,
              OptionDescriptor.Type.LIST_OF_INTEGERS,
              "Height and width in pixels; one number is a square, or with a crop the shorter side."
                  + " By default those of the model's input."),
          OptionDescriptor.of(
              CROP,
              OptionDescriptor.Type.LIST_OF_INTEGERS,
              "Height and width of the middle that is kept after scaling."),
          new OptionDescriptor(
              INTERPOLATION,
              OptionDescriptor.Type.STRING,
              Interpolation.labels(),
              Interpolation.BILINEAR.label(),
              "The filter for scaling, by its name in PIL."),
          OptionDescriptor.of(
              MEAN,
              OptionDescriptor.Type.LIST_OF_NUMBERS,
              "What is subtracted from each channel, on a scale of 0 to 1; one value for grey images."
                  + " By default 0."),
          OptionDescriptor.of(
              STD,
              OptionDescriptor.Type.LIST_OF_NUMBERS,
              "What each channel is divided by then; one value for grey images. By default 1."),
          OptionDescriptor.of(
              LAYOUT,
              OptionDescriptor.Type.STRING,
              "The order of dimensions, NCHW or NHWC. By default that of the model's input, else"
                  + " NCHW."));

  /** All that is wrong without knowing the model. */
  static List<ConfigurationProblem> problems(Options options) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    for (String key : List.of(SIZE, CROP)) {
      List<Integer> size = options.integers(key);
      if (options.isSet(key) && (size.isEmpty() || size.size() > 2)) {
        problems.add(
            new ConfigurationProblem(key, "must be a height and a width, or one number for both"));
      }
      for (int i = 0; i < size.size(); i++) {
        if (size.get(i) < 1) {
          problems.add(
              new ConfigurationProblem("%s[%s]".formatted(key, i), "must be greater than 0"));
        }
      }
    }
    if (options.isSet(CROP) && !options.isSet(SIZE)) {
      problems.add(
          new ConfigurationProblem(
              SIZE, "is required with a crop: the shorter side, or a height and a width"));
    }
    List<Double> mean = options.doubles(MEAN);
    List<Double> std = options.doubles(STD);
    if (options.isSet(MEAN) && mean.size() != 1 && mean.size() != 3) {
      problems.add(new ConfigurationProblem(MEAN, ONE_OR_THREE + mean.size()));
    }
    if (std.contains(0.0)) {
      problems.add(new ConfigurationProblem(STD, "must not contain 0, pixels are divided by it"));
    }
    if (options.isSet(STD) && options.isSet(MEAN) && std.size() != mean.size()) {
      problems.add(
          new ConfigurationProblem(
              STD,
              "must have as many values as mean, %d, but has %d"
                  .formatted(mean.size(), std.size())));
    } else if (options.isSet(STD) && std.size() != 1 && std.size() != 3) {
      problems.add(new ConfigurationProblem(STD, ONE_OR_THREE + std.size()));
    }
    if (options.isSet(LAYOUT) && !layout(options).matches("NCHW|NHWC")) {
      problems.add(new ConfigurationProblem(LAYOUT, "must be NCHW or NHWC"));
    }
    return problems;
  }

  private static String layout(Options options) {
    return options.text(LAYOUT).toUpperCase(Locale.ROOT);
  }

  /**
   * The settings of a request, with what its model's input declares in the place of what is not
   * set.
   *
   * @throws DataException if the size is neither set nor declared, or the model's input is not for
   *     images
   */
  static ImageSettings of(DataRequest request) {
    Options options = request.options();
    InputShape input =
        InputShape.of(request.inputs(), options.isSet(LAYOUT) ? layout(options) : "");
    List<Integer> crop = pair(options.integers(CROP));
    List<Integer> size =
        crop != null && options.integers(SIZE).size() == 1
            ? options.integers(SIZE)
            : pair(options.integers(SIZE));
    if (size == null) {
      size = input.size();
    }
    if (size == null) {
      throw new DataException(
          "images.size must be set to a height and a width: the model's input %sdeclares none"
              .formatted(input.printed()));
    }
    int channels = channels(options, input);
    return new ImageSettings(
        size,
        crop,
        Interpolation.of(options.text(INTERPOLATION)),
        options.isSet(MEAN) ? options.doubles(MEAN) : Collections.nCopies(channels, 0.0),
        options.isSet(STD) ? options.doubles(STD) : Collections.nCopies(channels, 1.0),
        input.channelsFirst(),
        type(input, options));
  }

  private static int channels(Options options, InputShape input) {
    for (String key : List.of(MEAN, STD)) {
      if (options.isSet(key)) {
        return options.doubles(key).size();
      }
    }
    return input.channels() == 1 ? 1 : 3;
  }

  private static ElementType type(InputShape input, Options options) {
    ElementType type = input.elementType();
    if (type.equals(ElementType.UINT8) && (options.isSet(MEAN) || options.isSet(STD))) {
      throw new DataException(
          "the model's input %stakes pixels as they are; leave images.mean and images.std out"
              .formatted(input.printed()));
    }
    return type;
  }

  private static @Nullable List<Integer> pair(List<Integer> size) {
    return size.isEmpty() ? null : List.of(size.get(0), size.get(size.size() - 1));
  }
}
