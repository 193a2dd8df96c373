# A checkpoint is a PyTorch state_dict: python3 load_in_pytorch.py runs/NAME/checkpoints/step-000200.safetensors
# With the safetensors package: state = safetensors.torch.load_file(path). Without it, the format is one page:
import json, struct, sys, torch

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", data[:8])                       # the header's length, then the header, then the numbers
header = json.loads(data[8 : 8 + length])
config = json.loads(header.pop("__metadata__")["config"])
state = {}
for name, tensor in header.items():
    begin, end = (8 + length + at for at in tensor["data_offsets"])
    state[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(tensor["shape"])

head = torch.nn.Linear(config["dim"], 258)
head.load_state_dict({"weight": state["head.weight"], "bias": state["head.bias"]})
print(config, sum(x.numel() for x in state.values()), "parameters; head.weight", tuple(head.weight.shape))
