using System.Text.Json.Serialization;

namespace Skep.Commands.Lab;

/// <summary>One machine as <c>lab ls</c> shows it.</summary>
/// <param name="Socket">Path of its Engine API, from outside.</param>
/// <param name="Pid">Its first process, for nsenter; 0 when it is off.</param>
/// <param name="State">up, cut, daemon down or off.</param>
internal sealed record LabRow(string Lab, string Node, string Address, string Socket, int Pid, string State);

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<LabRow>))]
internal sealed partial class LabRowJson : JsonSerializerContext;
