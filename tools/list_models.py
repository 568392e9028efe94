"""Lists the models of the zoo, a line each."""

from absl import flags
from command_line import FLAGS, run

flags.DEFINE_string("model_module", None, "Your module with entries of its own.")


def main() -> None:
    from zoo import registry

    entries = registry.models(FLAGS.model_module)
    width = max(map(len, entries))
    for name, spec in entries.items():
        shape = "x".join(map(str, spec.data.image_shape))
        codes = ", ".join(
            f"{code.name}: {type(code).__name__.lower()}" for code in spec.latents.codes
        )
        print(f"{name:{width}}  {shape:9}  {spec.description} [{codes or 'no codes'}]")


if __name__ == "__main__":
    run(main)
