"""What is around a convolution, in the forms that TensorFlow has fast kernels for on a CPU."""

from keras import ops

from mrcnn_al.ops.backend import NAME, has_gpu


def add_bias(x, bias):
    """x [..., C] + bias [C]; TensorFlow joins this form of it with the convolution before it."""
    if NAME != "tensorflow":
        return x + bias
    import tensorflow as tf

    return tf.nn.bias_add(x, bias)


def depthwise_conv(x, kernel, strides, padding: str):
    """`keras.ops.depthwise_conv` of images [B, H, W, C].

    TensorFlow's kernels for its gradients are several times slower in half precision than in
    float32 on a CPU; there they compute in float32.
    """
    if NAME != "tensorflow" or x.dtype == "float32" or has_gpu():
        return ops.depthwise_conv(x, kernel, strides, padding)
    import tensorflow as tf

    settings = {"strides": (1, *strides, 1), "padding": padding.upper()}

    @tf.custom_gradient
    def convolve(x, kernel):
        def gradient(upstream):
            wide_x, wide_kernel, upstream = (tf.cast(t, tf.float32) for t in (x, kernel, upstream))
            of_x = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x), filter=wide_kernel, out_backprop=upstream, **settings
            )
            of_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=wide_x, filter_sizes=tf.shape(kernel), out_backprop=upstream, **settings
            )
            return tf.cast(of_x, x.dtype), tf.cast(of_kernel, kernel.dtype)

        return tf.raw_ops.DepthwiseConv2dNative(input=x, filter=kernel, **settings), gradient

    return convolve(x, kernel)
