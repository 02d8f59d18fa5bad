/* Names of options, as Keras spells them. SPDX-License-Identifier: Apache-2.0 */
#include "weir/ops.h"

const char *weir_activation_name(weir_activation activation) {
    switch (activation) {
    case WEIR_LINEAR: return "linear";
    case WEIR_RELU: return "relu";
    case WEIR_TANH: return "tanh";
    case WEIR_SIGMOID: return "sigmoid";
    case WEIR_HARD_SIGMOID: return "hard_sigmoid";
    case WEIR_HARD_SIGMOID6: return "hard_sigmoid6";
    case WEIR_ACTIVATION_COUNT: break;
    }
    return "unknown";
}

const char *weir_padding_name(weir_padding padding) {
    switch (padding) {
    case WEIR_VALID: return "valid";
    case WEIR_SAME: return "same";
    case WEIR_CAUSAL: return "causal";
    case WEIR_PADDING_COUNT: break;
    }
    return "unknown";
}

const char *weir_loss_name(weir_loss loss) {
    switch (loss) {
    case WEIR_MAE: return "mae";
    case WEIR_MSE: return "mse";
    case WEIR_BCE: return "binary_crossentropy";
    case WEIR_BCE_LOGITS: return "binary_crossentropy_from_logits";
    case WEIR_LOSS_COUNT: break;
    }
    return "unknown";
}
