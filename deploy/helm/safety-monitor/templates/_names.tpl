{{- define "safety-monitor.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "safety-monitor.labels" -}}
app.kubernetes.io/name: safety-monitor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* What a selector of workers needs: the pods of the migration bear the labels above, too. */}}
{{- define "safety-monitor.worker" -}}
{{ include "safety-monitor.labels" . }}
app.kubernetes.io/component: worker
{{- end }}

{{- define "safety-monitor.port" -}}
{{ .Values.settings.HTTP_PORT | default 9464 | int }}
{{- end }}

{{- /* A setting as its variable: a whole number without an exponent, a map or a list as JSON, the rest as it stands. */}}
{{- define "safety-monitor.setting" -}}
{{- if or (kindIs "map" .) (kindIs "slice" .) }}{{ toJson . | quote }}
{{- else if and (kindIs "float64" .) (eq (floor .) (float64 .)) }}{{ int64 . | quote }}
{{- else }}{{ quote . }}
{{- end }}
{{- end }}

{{- define "safety-monitor.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "safety-monitor.secrets" -}}
- name: secrets
  secret: {secretName: {{ . }}, defaultMode: 0440}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 16Mi}
{{- end }}

{{- define "safety-monitor.mounts" -}}
- {name: secrets, mountPath: /run/secrets/safety-monitor, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end }}
