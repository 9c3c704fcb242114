using System.Text.Json.Serialization;

namespace Skep.EngineApi.Net;

/// <summary>What <c>skep net status</c> shows: one table for each part of the node's network that has something to say.</summary>
public sealed record NetStatus(IReadOnlyList<NetStatusSection> Sections);

/// <summary>A table. Name is for programs, Title for people; every row has as many cells as there are columns.</summary>
public sealed record NetStatusSection(string Name, string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(NetStatus))]
public sealed partial class NetStatusJson : JsonSerializerContext;
